import type { Lsn } from '../../model/lsn.ts';
import { one, type Client } from '../client.ts';

/**
 * A position that lies behind the commit of everything a reading before it saw. The insert position, because with
 * synchronous_commit off a commit is visible before its record is written, and pg_current_wal_lsn() says what is
 * written.
 */
export async function insertPosition(live: Client): Promise<Lsn> {
  return (await one<{ lsn: Lsn }>(live, 'SELECT pg_current_wal_insert_lsn()::text AS lsn')).lsn;
}
