import { expect, test } from 'vitest';
import { rows, type Client } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { lockTimeouts } from '../../src/postgres/lock-timeout.ts';
import { connectionTo, withServer } from '../support/postgres.ts';
import type { Server } from '../../src/platform/local/server.ts';

const limit = 300;

/** As an operator's connection is opened. */
function explained<T>(server: Server, use: (client: Client) => Promise<T>): Promise<T> {
  return withClient(
    connectionTo(server),
    'test',
    (client) => {
      const explain = lockTimeouts(client, limit);
      return use(client).catch(async (error: unknown) => {
        throw await explain(error);
      });
    },
    limit,
  );
}

test('a lock that was not had is told with the transactions of the server it is on, however the connections are nested', async () => {
  await withServer((blue) =>
    withServer(async (green) => {
      for (const server of [blue, green])
        await withClient(connectionTo(server), 'test', (client) => client.query('CREATE TABLE t (id int)'));
      await withClient(connectionTo(blue), 'test', (holder) =>
        withClient(connectionTo(green), 'test', async (bystander) => {
          await holder.query('BEGIN; LOCK TABLE t');
          await bystander.query('BEGIN; SELECT 1');
          const pid = async (client: Client): Promise<string> =>
            String((await rows<{ pid: number }>(client, 'SELECT pg_backend_pid() AS pid'))[0]?.pid);
          const [held, idle] = [await pid(holder), await pid(bystander)];
          // The outer connection's statement fails inside the inner one's use.
          const failure = (await explained(blue, (outer) => explained(green, () => outer.query('SELECT FROM t'))).catch(
            (error: unknown) => error,
          )) as { seen: string };
          expect(failure).toMatchObject({ id: 'lock-timeout', seen: expect.stringContaining(`pid ${held},`) });
          expect(failure.seen).not.toContain(`pid ${idle},`);
          await bystander.query('LOCK TABLE t');
          const inner = (await explained(blue, () => explained(green, (client) => client.query('SELECT FROM t'))).catch(
            (error: unknown) => error,
          )) as { seen: string };
          expect(inner).toMatchObject({ id: 'lock-timeout', seen: expect.stringContaining(`pid ${idle},`) });
          expect(inner.seen).not.toContain(`pid ${held},`);
        }),
      );
    }),
  );
});
