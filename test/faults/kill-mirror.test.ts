import { execa } from 'execa';
import { expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { rows } from '../../src/postgres/client.ts';
import { main } from '../support/cli.ts';
import { withEnvironment } from '../support/environment.ts';
import { until, untilRow } from '../support/until.ts';
import { good } from '../support/verdict.ts';

const reading = "SELECT 1 FROM pg_stat_activity WHERE usename = 'verdigris_reader' AND backend_type = 'client backend'";

test('a mirror that is killed leaves no session on either colour, nothing in the journal, and no client notices; another one begins', async () => {
  await withEnvironment({}, async ({ folder, home, platform, verb, on, clients }) => {
    await verb('seed');
    await verb('migrate');
    const mirror = (length: string) =>
      execa(process.execPath, [main, 'mirror', '--json', '--share', '100', '--for', length], {
        cwd: folder,
        env: { VERDIGRIS_HOME: home },
        reject: false,
      });
    const before = await readJournal(platform.journal);
    const { verdict } = await clients(async (workload) => {
      const killed = mirror('5m');
      for (const colour of ['blue', 'green'] as const) await on(colour, (client) => untilRow(client, reading));
      killed.kill('SIGKILL');
      await killed;
      for (const colour of ['blue', 'green'] as const)
        await until(`no session on ${colour}`, () =>
          on(colour, async (client) => (await rows(client, reading)).length === 0),
        );
      const { acknowledged } = workload.stats();
      await workload.until((stats) => stats.acknowledged > acknowledged + 50, 30_000);
      expect(await readJournal(platform.journal)).toEqual(before);
      expect(await mirror('2s')).toMatchObject({ exitCode: 0 });
    });
    expect(verdict).toMatchObject(good);
  });
});
