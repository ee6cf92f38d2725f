import pg from 'pg';
import { expect, test } from 'vitest';
import { waitFor } from '../../src/model/wait.ts';
import { rows } from '../../src/postgres/client.ts';
import { ensureControlSchema } from '../../src/postgres/control.ts';
import { fenceServer } from '../../src/postgres/fence.ts';
import { connectionTo, withDatabase } from '../support/postgres.ts';

test('a login that has passed the check but is not yet in pg_stat_activity does not slip through the fence', async () => {
  await withDatabase(async (client, server) => {
    await ensureControlSchema(client);
    await client.query('CREATE ROLE app LOGIN; CREATE TABLE t (x int); GRANT INSERT ON t TO app');
    // The server itself waits between the check of the role and the session's entry in pg_stat_activity.
    const late = new pg.Client({ ...connectionTo(server, 'test', 'app'), options: '-c post_auth_delay=2' });
    late.on('error', () => undefined);
    const connected = late
      .connect()
      .then(() => late.query('INSERT INTO t VALUES (1)'))
      .then(
        () => 'written',
        (error: Error) => error.message,
      );
    await waitFor(
      async () =>
        (
          await rows(
            client,
            "SELECT FROM pg_locks WHERE locktype = 'virtualxid' AND pid NOT IN (SELECT pid FROM pg_stat_activity)",
          )
        ).length > 0
          ? true
          : undefined,
      { limit: 10_000, every: 5, what: 'a login under way', next: 'see the log.' },
    );
    await fenceServer(client, 1, 10_000);
    expect(await connected).not.toBe('written');
    expect(await rows(client, 'SELECT x FROM t')).toEqual([]);
    await late.end().catch(() => undefined);
  });
});
