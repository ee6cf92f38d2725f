import { replicationRole } from '../../model/names.ts';
import { one, type Client } from '../client.ts';
import { ident } from '../quote.ts';

/**
 * The role that subscriptions log in with may read every table, for as long as tables are synchronised; row security
 * would be in its way.
 */
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
  const { policies } = await one<{ policies: boolean }>(
    live,
    'SELECT EXISTS (SELECT FROM pg_class WHERE relrowsecurity) AS policies',
  );
  const bypass = policies ? [{ grant: `ALTER ROLE ${role} BYPASSRLS`, revoke: `ALTER ROLE ${role} NOBYPASSRLS` }] : [];
  return [...bypass, { grant: `GRANT pg_read_all_data TO ${role}`, revoke: `REVOKE pg_read_all_data FROM ${role}` }];
}
