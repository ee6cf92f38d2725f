import { expect, test } from 'vitest';
import { served } from '../faults/support.ts';
import { withClusterBench, nothing } from './support/faults.ts';
import { runInPod } from './support/run-pod.ts';

test(
  'the command line in a pod, with the documented Role and any user, releases, rolls back and retires under load; it reaches the servers by their Services',
  { timeout: 1_800_000 },
  async () => {
    await withClusterBench(
      { guard: true, namespaceLabels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
      async (bench) => {
        const { verdict } = await bench.exercise(async (workload) => {
          for (const [name, args] of [
            ['release', ['release', '--to', 'switched']],
            ['rollback', ['rollback']],
            ['again', ['release', '--to', 'switched']],
          ] as const) {
            const { exitCode, output } = await runInPod(bench, name, args);
            expect(exitCode, output).toBe(0);
            expect(output).not.toContain('no-guard');
            await served(workload);
          }
          await bench.harvest();
          const refused = await runInPod(bench, 'seed', ['seed']);
          expect(refused.exitCode, refused.output).toBe(4);
          const retired = await runInPod(bench, 'retire', ['retire', '--early']);
          expect(retired.exitCode, retired.output).toBe(0);
          await served(workload);
        });
        expect(verdict).toMatchObject({ ok: true, errors: { statements: 0, connects: 0 } });
        await bench.settled({ state: 'single', live: 'green', liveRelease: '2' });
        expect(await bench.leftovers()).toEqual(nothing);
      },
    );
  },
);
