import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import { harvester } from '../../faults/harvest.ts';
import type { MoveBench } from '../../faults/kill-everywhere.ts';
import { Operators } from '../../faults/operators.ts';
import type { Exercise } from '../../../src/operations/proofs/exercise.ts';
import { readJournal } from '../../../src/operations/engine/ledger.ts';
import type { Workload } from '../../../src/workload/start.ts';
import { leftovers } from '../../support/leftovers.ts';
import { withClusterEnvironment, type ClusterEnvironment, type ClusterOptions } from './environment.ts';
import { productImage } from './image.ts';
import { pooler } from './declaration.ts';

export interface ClusterBench extends ClusterEnvironment, MoveBench {
  readonly platform: ClusterEnvironment['platform'];
  /** As `clients`, with commit points taken from the journal, so that those of killed operators count too. */
  exercise(use: (workload: Workload) => Promise<void>): Promise<Exercise>;
  /** What must not be left once single, in the database and of objects. */
  leftovers(): Promise<unknown>;
}

interface BenchOptions extends ClusterOptions {
  /** Guards beside the poolers; without them nobody recovers but the test. */
  readonly guard: boolean;
}

export { nothing } from '../../support/leftovers.ts';

/** An environment with clients, and operators in processes of their own that can be killed. */
export async function withClusterBench<T>(
  { guard, ...options }: BenchOptions,
  use: (bench: ClusterBench) => Promise<T>,
): Promise<T> {
  const images = guard ? { pooler, verdigris: await productImage() } : { pooler };
  return withClusterEnvironment({ ...options, kubernetes: { images, ...options.kubernetes } }, async (test) => {
    const { environment, platform, namespace, folder, commits, on } = test;
    const declaration = path.join(folder, 'declaration.json');
    await writeFile(declaration, JSON.stringify(test.raw));
    const operators = new Operators(declaration, { kind: 'kubernetes', kubeconfig: namespace.operator.exportConfig() });
    const journal = () => readJournal(platform.journal);
    const harvest = harvester(journal, environment.live, commits);
    try {
      return await use({
        ...test,
        operators,
        journal,
        harvest,
        recover: () => test.operator(async () => undefined),
        settled: async (expected) => {
          expect(await journal()).toMatchObject({ operation: null, ...expected });
          expect((await platform.traffic.status()).held).toBeUndefined();
        },
        exercise: (work) =>
          test.clients(async (workload) => {
            try {
              await work(workload);
            } finally {
              await harvest();
            }
          }),
        leftovers: async () => leftovers(platform, (await journal()).live, on),
      });
    } finally {
      await operators.close();
    }
  });
}
