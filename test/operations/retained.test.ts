import { expect, test } from 'vitest';
import { readStatus } from '../../src/operations/reads/status.ts';
import { withEnvironment } from '../support/environment.ts';
import { good } from '../support/verdict.ts';

test('a retained colour that was down at the switchover follows as soon as it runs and any command comes by: the rollback is lossless again', async () => {
  await withEnvironment({}, async ({ verb, clients, operator, platform, environment, events }) => {
    const { verdict } = await clients(async (workload) => {
      for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
      // Down from the moment that its fence has stood and its last write has arrived.
      const stop = setInterval(() => {
        if (
          !events.some(
            (event) =>
              event.type === 'step' && event.verb === 'switch' && event.step === 'open' && event.status === 'started',
          )
        )
          return;
        clearInterval(stop);
        void platform.servers.stop('blue', 'immediate');
      }, 1);
      await verb('switch').catch(() => undefined);
      clearInterval(stop);
      await platform.servers.stop('blue', 'immediate');
      await operator(async () => undefined);
      expect(await readStatus(environment, platform)).toMatchObject({
        state: 'switched',
        live: 'green',
        losslessRollback: false,
      });
      const { acknowledged } = workload.stats();
      await workload.until((stats) => stats.acknowledged > acknowledged + 100, 30_000);
      await platform.servers.start('blue');
      await operator(async () => undefined);
      await verb('rollback');
    });
    expect(verdict).toMatchObject(good);
  });
});
