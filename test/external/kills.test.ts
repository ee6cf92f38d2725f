import { beforeAll, expect, test } from 'vitest';
import { coversThePlan, killAlongTheWay } from '../faults/kill-chain.ts';
import { killEverywhere } from '../faults/kill-everywhere.ts';
import { nothing, served, withBench, type FaultBench } from '../faults/support.ts';
import { withNewestPgDump } from '../support/client-programs.ts';
import { credentials } from '../support/external.ts';
import { betweenManaged } from '../support/managed-server.ts';
import { good } from '../support/verdict.ts';

/** Ten times what an idle machine needs. */
const timeout = 2_400_000;

beforeAll(withNewestPgDump);

/** Two managed services, no superuser on either. */
async function withManagedBench(use: (bench: FaultBench) => Promise<void>): Promise<void> {
  await betweenManaged((declaration) => withBench({ deadman: false, declaration, existing: credentials }, use));
}

test(
  'without a superuser: seed and abandon, killed before and after every entry of the journal; nothing is lost or left',
  { timeout },
  async () => {
    await withManagedBench(async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        const logical = { options: { way: 'logical' } } as const;
        coversThePlan('seed', await killAlongTheWay(bench, 'seed', logical), logical.options);
        await bench.settled({ state: 'seeded', live: 'blue' });
        for (const verb of ['migrate', 'verify'] as const) await bench.verb(verb);
        coversThePlan('abandon', await killAlongTheWay(bench, 'abandon'));
        await served(workload);
      });
      expect(verdict).toMatchObject(good);
      await bench.settled({ state: 'single', live: 'blue', release: null, stream: null });
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);

test(
  'without a superuser: switch, killed before and after every entry of the journal; nothing is lost',
  { timeout },
  async () => {
    await withManagedBench(async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);
        await killEverywhere(bench, workload, 'switch', {}, 'verified', 'switched');
      });
      expect(verdict).toMatchObject(good);
    });
  },
);

test(
  'without a superuser: rollback and retire, killed before and after every entry of the journal; nothing is lost or left',
  { timeout },
  async () => {
    await withManagedBench(async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        for (const verb of ['seed', 'migrate', 'verify', 'switch'] as const) await bench.verb(verb);
        await killEverywhere(bench, workload, 'rollback', {}, 'switched', 'migrated');
        for (const verb of ['verify', 'switch'] as const) await bench.verb(verb);
        await bench.harvest();
        coversThePlan('retire', await killAlongTheWay(bench, 'retire'));
        await served(workload);
      });
      expect(verdict).toMatchObject(good);
      await bench.settled({ state: 'single', live: 'green', release: null, stream: null, closing: null });
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);
