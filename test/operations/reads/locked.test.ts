import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readStatus } from '../../../src/operations/reads/status.ts';
import { one, rows } from '../../../src/postgres/client.ts';
import { withEnvironment } from '../../support/environment.ts';

test('a table that somebody keeps locked holds up no status: it is told soon, with who keeps it', async () => {
  await withEnvironment({}, async ({ environment, platform, on, verb }) => {
    for (const step of ['seed', 'migrate', 'verify'] as const) await verb(step);
    const before = await readStatus(environment, platform);
    expect(before.troubles).toEqual([]);
    // Who asks in a transaction sees the sessions as they were when it asked first.
    await on('blue', async (watcher) =>
      on('blue', async (client) => {
        await client.query('BEGIN; LOCK TABLE workload.entry, workload.account IN ACCESS EXCLUSIVE MODE');
        const { pid } = await one<{ pid: number }>(client, 'SELECT pg_backend_pid() AS pid');
        let done = false;
        const status = readStatus(environment, platform).finally(() => (done = true));
        while (!done) {
          const [found] = await rows<{ seconds: number }>(
            watcher,
            `SELECT extract(epoch FROM clock_timestamp() - query_start)::float8 AS seconds FROM pg_stat_activity
          WHERE wait_event_type = 'Lock' AND application_name LIKE 'verdigris%' ORDER BY 1 DESC LIMIT 1`,
          );
          expect(found?.seconds ?? 0).toBeLessThan(10);
          await setTimeout(100);
        }
        const { troubles } = await status;
        expect(troubles.map(({ id }) => id)).toEqual(['lock-timeout']);
        expect(troubles[0]?.seen).toContain(`pid ${pid}`);
        await client.query('ROLLBACK');
      }),
    );
    expect((await readStatus(environment, platform)).troubles).toEqual([]);
  });
});
