import { replicationRole } from '../../model/names.ts';
import { one, rows, type Client } from '../client.ts';
import { ident } from '../quote.ts';

/** From this major on one membership lets a role read everything. */
const readAllData = 14;

/** The role that subscriptions log in with may read every table, for as long as tables are synchronised; row security would be in its way. */
export async function admitReader(live: Client): Promise<void> {
  for (const { grant } of await rights(live)) await live.query(grant);
}

/** Takes back what `admitReader` gave. */
export async function dismissReader(live: Client): Promise<void> {
  for (const { revoke } of await rights(live)) await live.query(revoke);
}

interface Right {
  readonly grant: string;
  readonly revoke: string;
}

async function rights(live: Client): Promise<Right[]> {
  const role = ident(replicationRole);
  const { major, policies } = await one<{ major: number; policies: boolean }>(
    live,
    `SELECT current_setting('server_version_num')::int / 10000 AS major, EXISTS (SELECT FROM pg_class WHERE relrowsecurity) AS policies`,
  );
  const bypass = policies ? [{ grant: `ALTER ROLE ${role} BYPASSRLS`, revoke: `ALTER ROLE ${role} NOBYPASSRLS` }] : [];
  if (major >= readAllData)
    return [...bypass, { grant: `GRANT pg_read_all_data TO ${role}`, revoke: `REVOKE pg_read_all_data FROM ${role}` }];
  const schemas = await rows<{ name: string }>(
    live,
    "SELECT nspname AS name FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'",
  );
  return [
    ...bypass,
    ...schemas.map(({ name }) => ({
      grant: `GRANT USAGE ON SCHEMA ${ident(name)} TO ${role}; GRANT SELECT ON ALL TABLES IN SCHEMA ${ident(name)} TO ${role}`,
      revoke: `REVOKE SELECT ON ALL TABLES IN SCHEMA ${ident(name)} FROM ${role}; REVOKE USAGE ON SCHEMA ${ident(name)} FROM ${role}`,
    })),
  ];
}
