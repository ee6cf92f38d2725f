import { readStatus } from '../../src/operations/reads/status.ts';
import { withEnvironment } from '../support/environment.ts';
import { quantile, timed, type BenchRow } from './measure.ts';

/** What looking costs while a candidate follows. */
export async function benchStatus(): Promise<BenchRow[]> {
  return withEnvironment({}, async ({ verb, environment, platform }) => {
    await verb('seed');
    const times: number[] = [];
    for (let run = 0; run < 20; run++)
      times.push((await timed(() => readStatus(environment, platform))).seconds * 1000);
    return [
      {
        what: 'status, from a warm process',
        value: `p50 ${Math.round(quantile(times, 0.5))} ms, max ${Math.round(Math.max(...times))} ms`,
      },
    ];
  });
}
