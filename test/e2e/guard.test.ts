import { expect, test } from 'vitest';
import { served } from '../faults/support.ts';
import { nothing, withClusterBench } from './support/faults.ts';
import { letGo } from './support/let-go.ts';

const timeout = 1_800_000;

test(
  'faults 23, 24, 25: the operator is killed while clients are held, around the commit point and the routes: the guards settle it alone',
  { timeout },
  async () => {
    await withClusterBench({ guard: true }, async (bench) => {
      const { operators, settled, platform } = bench;
      const waits: string[] = [];
      const { verdict } = await bench.exercise(async (workload) => {
        for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);
        let live: 'blue' | 'green' = 'blue';
        for (const [verb, step] of [
          ['switch', 'hold'],
          ['switch', 'fence'],
          ['switch', 'advance-reverse'],
          ['switch', 'open'],
          ['rollback', 'fence'],
          ['rollback', 'route'],
        ] as const) {
          expect(await operators.run(verb, { dieAfter: step })).toEqual({ how: 'killed' });
          expect((await platform.traffic.status()).held).toBeDefined();
          const waited = await letGo(bench, `the kill in ${verb} after ${step}`);
          expect(waited).toBeLessThan(60_000);
          waits.push(`${verb} ${step}: ${waited} ms`);
          if (step === 'open' || step === 'route') live = live === 'blue' ? 'green' : 'blue';
          await settled({ live });
          await served(workload);
        }
        await settled({ state: 'migrated', live: 'blue' });
        await bench.verb('abandon');
      });
      console.log(`held after the kill: ${waits.join('; ')}`);
      expect(verdict, JSON.stringify(verdict.errors)).toMatchObject({
        ok: true,
        errors: { statements: 0, connects: 0 },
      });
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);
