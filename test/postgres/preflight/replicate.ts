import { streamName } from '../../../src/model/names.ts';
import { one, type Client } from '../../../src/postgres/client.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { ident } from '../../../src/postgres/quote.ts';
import type { Server } from '../../../src/platform/local/server.ts';
import { connectionTo } from '../../support/postgres.ts';
import { untilRow } from '../../support/until.ts';

export interface Pair {
  readonly publisher: Client;
  readonly subscriber: Client;
  /** Waits until apply has stopped by disable_on_error. */
  stopped(): Promise<void>;
  /** Waits until all that was committed so far has been applied. */
  caughtUp(): Promise<void>;
}

/**
 * Two databases of one server with the same `schema`, the second subscribed to the first: what apply does, at the cost
 * of one server.
 */
export async function withReplication<T>(
  server: Server,
  name: string,
  schema: string,
  use: (pair: Pair) => Promise<T>,
): Promise<T> {
  const [from, to, stream] = [`${name}_from`, `${name}_to`, streamName(name, 1, 'blue', 'green')];
  await withClient(connectionTo(server), 'test', async (client) => {
    await client.query(`CREATE DATABASE ${ident(from)}`);
    await client.query(`CREATE DATABASE ${ident(to)}`);
  });
  return withClient(connectionTo(server, from), 'test', async (publisher) =>
    withClient(connectionTo(server, to), 'test', async (subscriber) => {
      for (const client of [publisher, subscriber]) await client.query(schema);
      await publisher.query(`CREATE PUBLICATION ${stream} FOR ALL TABLES`);
      await publisher.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [stream]);
      await subscriber.query(
        `CREATE SUBSCRIPTION ${stream} CONNECTION 'host=${server.sockets} port=${server.port} user=verdigris_operator dbname=${from}'
          PUBLICATION ${stream} WITH (create_slot = false, copy_data = false, disable_on_error = true)`,
      );
      try {
        return await use({
          publisher,
          subscriber,
          stopped: () =>
            untilRow(subscriber, 'SELECT FROM pg_subscription WHERE subname = $1 AND NOT subenabled', [stream]),
          caughtUp: async () => {
            const { lsn } = await one<{ lsn: string }>(publisher, 'SELECT pg_current_wal_lsn()::text AS lsn');
            await untilRow(
              publisher,
              'SELECT FROM pg_replication_slots WHERE slot_name = $1 AND confirmed_flush_lsn >= $2::pg_lsn',
              [stream, lsn],
            );
          },
        });
      } finally {
        await subscriber.query(`ALTER SUBSCRIPTION ${stream} DISABLE`);
        await subscriber.query(`ALTER SUBSCRIPTION ${stream} SET (slot_name = NONE)`);
        await subscriber.query(`DROP SUBSCRIPTION ${stream}`);
        await untilRow(publisher, 'SELECT FROM pg_replication_slots WHERE slot_name = $1 AND NOT active', [stream]);
        await publisher.query('SELECT pg_drop_replication_slot($1)', [stream]);
      }
    }),
  );
}
