import { settingValue } from './compare/globals-databases.ts';
import { rows, type Client } from './client.ts';
import { isSuperuser } from './superuser.ts';
import type { SchemaDifference, SchemaObject } from './fingerprint/index.ts';
import { ident } from './quote.ts';

/**
 * What ALTER SYSTEM has set, by digests: a setting may hold a secret. Only a superuser may read it; to others there is
 * none.
 */
export async function readSystemSettings(client: Client): Promise<SchemaObject[]> {
  if (!(await isSuperuser(client))) return [];
  return rows<SchemaObject>(
    client,
    `SELECT DISTINCT ON (name) 'server setting' AS kind, name AS identity, md5(setting) AS definition FROM pg_file_settings
     WHERE sourcefile ~ '/postgresql[.]auto[.]conf$' ORDER BY name, seqno DESC`,
  );
}

/** Makes these changes of `from` on `to` too, save settings that Verdigris's own file has there. Returns how many. */
export async function carrySystemSettings(
  from: Client,
  to: Client,
  changes: readonly SchemaDifference[],
): Promise<number> {
  if (changes.length === 0 || !(await isSuperuser(to))) return 0;
  const ours = await rows<{ name: string }>(
    to,
    "SELECT name FROM pg_file_settings WHERE sourcefile ~ '/verdigris[.]conf$'",
  );
  const carried = changes.filter(({ identity }) => !ours.some(({ name }) => name === identity));
  const values = await rows<{ name: string; value: string }>(
    from,
    `SELECT DISTINCT ON (name) name, setting AS value FROM pg_file_settings WHERE name = ANY ($1)
     AND sourcefile ~ '/postgresql[.]auto[.]conf$' ORDER BY name, seqno DESC`,
    [carried.map(({ identity }) => identity)],
  );
  for (const { identity } of carried) {
    const set = values.find(({ name }) => name === identity);
    await to.query(
      set ? `ALTER SYSTEM SET ${ident(identity)} TO ${settingValue(set)}` : `ALTER SYSTEM RESET ${ident(identity)}`,
    );
  }
  if (carried.length > 0) await to.query('SELECT pg_reload_conf()');
  return carried.length;
}
