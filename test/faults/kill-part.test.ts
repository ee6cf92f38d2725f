import { expect, test } from 'vitest';
import { credentials } from '../support/external.ts';
import { withMonolith } from '../support/monolith.ts';
import { good } from '../support/verdict.ts';
import { coversThePlan, killAlongTheWay } from './kill-chain.ts';
import { killEverywhere } from './kill-everywhere.ts';
import { nothing, served, withBench, type FaultBench } from './support.ts';

/** Ten times what an idle machine needs. */
const timeout = 2_400_000;

/** Some tables of a database of others that has more. */
async function withPart(use: (bench: FaultBench) => Promise<void>): Promise<void> {
  await withMonolith((_monolith, declaration) =>
    withBench({ deadman: false, declaration, existing: credentials }, use),
  );
}

test(
  'a part of a database: seed and abandon, killed before and after every entry of the journal; nothing is lost or left',
  { timeout },
  async () => {
    await withPart(async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        const logical = { options: { way: 'logical' } } as const;
        coversThePlan('seed', await killAlongTheWay(bench, 'seed', logical), logical.options);
        await bench.settled({ state: 'seeded', live: 'blue' });
        for (const each of ['migrate', 'verify', 'switch', 'rollback'] as const) await bench.verb(each);
        await bench.harvest();
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
  'a part of a database: retire, killed before and after every entry of the journal; nothing is lost or left',
  { timeout },
  async () => {
    await withPart(async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        for (const each of ['seed', 'migrate', 'verify', 'switch'] as const) await bench.verb(each);
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

/** Each switchover: undone before its commit point, continued behind it. */
const moving = [
  { verb: 'switch', before: ['seed', 'migrate', 'verify'], from: 'verified', to: 'switched' },
  { verb: 'rollback', before: ['seed', 'migrate', 'verify', 'switch'], from: 'switched', to: 'migrated' },
] as const;

test.for(moving)(
  'a part of a database: $verb, killed before and after every entry of the journal; nothing is lost',
  { timeout },
  async ({ verb, before, from, to }) => {
    await withPart(async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        for (const each of before) await bench.verb(each);
        await killEverywhere(bench, workload, verb, {}, from, to);
      });
      expect(verdict).toMatchObject(good);
    });
  },
);
