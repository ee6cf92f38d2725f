import { one, type Client } from './client.ts';
import { literal } from './quote.ts';

/**
 * Milliseconds that Verdigris may queue for locks that clients' writes need too, for all of a transaction's together and
 * `most` at most: PostgreSQL ends whoever waits for deadlock_timeout and then finds a deadlock, and that must not be a
 * client.
 */
export async function lockPatience(client: Client, most: number): Promise<number> {
  const { looked } = await one<{ looked: number }>(
    client,
    "SELECT setting::int AS looked FROM pg_settings WHERE name = 'deadlock_timeout'",
  );
  return Math.max(1, Math.min(most, Math.floor(looked / 2)));
}

/**
 * Locks tables against writers, and not against readers, for the rest of the transaction, within `patience` ms for all
 * together: lock_timeout by itself is for each. `tables` are quoted.
 * @throws PostgreSQL's 55P03
 */
export async function lockWithin(client: Client, tables: readonly string[], patience: number): Promise<void> {
  await client.query(
    `DO ${literal(`
    DECLARE
      until CONSTANT timestamptz := clock_timestamp() + ${patience} * interval '1 ms';
      each text;
    BEGIN
      FOREACH each IN ARRAY ${literal(`{${tables.map((table) => JSON.stringify(table)).join(',')}}`)}::text[] LOOP
        PERFORM set_config('lock_timeout', greatest(1, extract(epoch FROM until - clock_timestamp()) * 1000)::int::text, true);
        EXECUTE 'LOCK TABLE ONLY ' || each || ' IN SHARE ROW EXCLUSIVE MODE';
      END LOOP;
      PERFORM set_config('lock_timeout', '${patience}', true);
    END`)}`,
  );
}
