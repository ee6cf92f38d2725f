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

/**
 * What belongs to one server and not to the database: its archive, its standbys and where it follows, its files. A
 * colour that archived to the other's place, or waited for the other's standby, would do harm.
 */
const ownOfServer =
  '^(archive_|restore_command|recovery_|primary_|synchronous_standby|synchronized_standby|sync_replication|hot_standby|' +
  'ssl|krb_|log_(directory|filename|destination))';

/**
 * Makes these changes of `from` on `to` too and returns the names of those that `to` took. Left out are settings of one
 * server, those that Verdigris's own file has there, those that this major does not know, and those that take effect at
 * a restart: one of them may keep a server from starting.
 */
export async function carrySystemSettings(
  from: Client,
  to: Client,
  changes: readonly SchemaDifference[],
): Promise<string[]> {
  if (changes.length === 0 || !(await isSuperuser(to))) return [];
  const carried = await rows<{ name: string }>(
    to,
    `SELECT n.name FROM unnest($1::text[]) AS n (name) LEFT JOIN pg_settings s ON lower(s.name) = lower(n.name)
     WHERE coalesce(s.context NOT IN ('postmaster', 'internal'), n.name LIKE '%.%')
     AND n.name !~ $2 AND n.name NOT IN (SELECT f.name FROM pg_file_settings f WHERE f.sourcefile ~ '/verdigris[.]conf$')`,
    [changes.map(({ identity }) => identity), ownOfServer],
  );
  const names = carried.map(({ name }) => name);
  const values = await rows<{ name: string; value: string }>(
    from,
    `SELECT DISTINCT ON (name) name, setting AS value FROM pg_file_settings WHERE name = ANY ($1)
     AND sourcefile ~ '/postgresql[.]auto[.]conf$' ORDER BY name, seqno DESC`,
    [names],
  );
  const taken: string[] = [];
  for (const name of names) {
    const set = values.find((value) => value.name === name);
    const statement = set
      ? `ALTER SYSTEM SET ${ident(name)} TO ${settingValue(set)}`
      : `ALTER SYSTEM RESET ${ident(name)}`;
    await to.query(statement).then(
      () => taken.push(name),
      () => undefined,
    );
  }
  if (taken.length > 0) await to.query('SELECT pg_reload_conf()');
  return taken;
}
