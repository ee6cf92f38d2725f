import { rows, type Client } from './client.ts';
import { ident } from './quote.ts';

/**
 * Brings extensions to the versions that the new major's files have (docs: pg_upgrade, step 13); returns `name old to
 * new`.
 */
export async function updateExtensions(client: Client): Promise<string[]> {
  const behind = await rows<{ name: string; installed: string; available: string }>(
    client,
    `
    SELECT e.extname AS name, e.extversion AS installed, a.default_version AS available
    FROM pg_extension e JOIN pg_available_extensions a ON a.name = e.extname WHERE a.default_version <> e.extversion ORDER BY 1`,
  );
  for (const { name } of behind) await client.query(`ALTER EXTENSION ${ident(name)} UPDATE`);
  return behind.map(({ name, installed, available }) => `${name} ${installed} to ${available}`);
}

/**
 * pg_upgrade leaves no statistics. In stages as `vacuumdb --analyze-in-stages` has them: apply has usable plans after
 * the first.
 */
export async function refreshStatistics(client: Client): Promise<void> {
  for (const target of ['1', '10', 'DEFAULT']) {
    await client.query(`SET default_statistics_target = ${target}`);
    await client.query('ANALYZE');
  }
}
