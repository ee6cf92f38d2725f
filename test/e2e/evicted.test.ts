import { expect, test } from 'vitest';
import type { Pod } from '../../src/platform/kubernetes/pods.ts';
import { selectorLabels } from '../../src/manifests/names.ts';
import { until } from '../support/until.ts';
import { evict } from './support/evict.ts';
import { withClusterEnvironment } from './support/environment.ts';

test("a pooler that is evicted ends with its clients' transactions, costs nobody a write, and blocks no switchover meanwhile", async () => {
  await withClusterEnvironment({ kubernetes: { pooler: { replicas: 2 } } }, async (env) => {
    const {
      verb,
      clients,
      environment,
      namespace: { admin, name },
    } = env;
    const poolers = () => admin.list<Pod>('Pod', selectorLabels(environment, 'pooler'));
    const { verdict } = await clients(async (workload) => {
      for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
      for (const way of ['switch', 'rollback'] as const) {
        const before = (await poolers()).map(({ metadata }) => metadata.name);
        const [victim = ''] = before;
        // As a drain of its node does it: through the budget, and gracefully.
        expect(await evict(name, victim)).toBe(201);
        expect((await poolers()).find(({ metadata }) => metadata.name === victim)?.metadata).toMatchObject({
          deletionTimestamp: expect.any(String) as string,
        });
        await verb(way);
        const { acknowledged } = workload.stats();
        await workload.until((stats) => stats.acknowledged > acknowledged + 100, 60_000);
        await until(
          `two poolers of ${name} again`,
          async () => {
            const now = await poolers();
            return now.length === 2 && now.every(({ metadata }) => metadata.name !== victim);
          },
          180_000,
        );
      }
      await verb('abandon');
    });
    // A connection ends with its pooler, between transactions: a statement that is sent in that moment fails without
    // having run, once for each client, and nobody is refused who connects again.
    expect(verdict, JSON.stringify(verdict.errors)).toMatchObject({
      ok: true,
      unacknowledged: { foundOnce: 0 },
      errors: { connects: 0 },
    });
    expect(verdict.errors.statements + verdict.errors.idle).toBeLessThanOrEqual(2 * 12);
  });
});
