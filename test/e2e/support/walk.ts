import type { Workload } from '../../../src/workload/start.ts';
import type { ClusterEnvironment } from './environment.ts';

/** One verb after the other, each followed by writes of clients. */
export async function walk(
  { verb }: ClusterEnvironment,
  workload: Workload,
  ...verbs: readonly ('seed' | 'migrate' | 'verify' | 'switch' | 'rollback')[]
): Promise<void> {
  for (const each of verbs) {
    await verb(each);
    const { acknowledged } = workload.stats();
    await workload.until((stats) => stats.acknowledged > acknowledged + 50, 60_000);
  }
}
