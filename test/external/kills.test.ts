import { expect, test } from 'vitest';
import { credentials, declaredPasswords, declaredServer, fillShop, withExternalServer } from '../support/external.ts';
import { testMajor } from '../support/postgres.ts';
import { good } from '../support/verdict.ts';
import { coversThePlan, killAlongTheWay } from '../faults/kill-chain.ts';
import { killEverywhere } from '../faults/kill-everywhere.ts';
import { nothing, served, withBench } from '../faults/support.ts';

/** Ten times what an idle machine needs. */
const timeout = 1_500_000;

/** The newest that a pg_dump of the system reads. */
const liveMajor = 15;

test(
  'from one server that others run to another, of a later major: seed, switch and retire, killed before and after every entry of the journal',
  { timeout },
  async () => {
    await withExternalServer(liveMajor, async (theirs) => {
      await fillShop(theirs);
      await withExternalServer(testMajor, async (newer) => {
        const declaration = {
          colours: {
            blue: { release: '1', postgres: liveMajor, server: declaredServer(theirs) },
            green: { release: '2', postgres: testMajor, server: declaredServer(newer) },
          },
          local: { passwords: declaredPasswords },
        };
        await withBench({ deadman: false, declaration, existing: credentials }, async (bench) => {
          const { verdict } = await bench.exercise(async (workload) => {
            const logical = { options: { logical: true } };
            coversThePlan('seed', await killAlongTheWay(bench, 'seed', logical), logical.options);
            await bench.settled({ state: 'seeded', live: 'blue' });
            await served(workload);
            for (const verb of ['migrate', 'verify'] as const) await bench.verb(verb);
            await killEverywhere(bench, workload, 'switch', {}, 'verified', 'switched');
            await bench.harvest();
            coversThePlan('retire', await killAlongTheWay(bench, 'retire'));
            await served(workload);
          });
          expect(verdict).toMatchObject(good);
          await bench.settled({ state: 'single', live: 'green', release: null, stream: null, closing: null });
          expect(await bench.leftovers()).toEqual(nothing);
        });
      });
    });
  },
);
