import { setTimeout as sleep } from 'node:timers/promises';
import { generateSample } from '../../src/sample/generate.ts';
import { createSampleSchema } from '../../src/sample/sample.ts';
import type { WorkloadStats } from '../../src/workload/start.ts';
import { withEnvironment } from '../support/environment.ts';
import { type BenchRow } from './measure.ts';

/** Milliseconds of each stretch that is counted. */
const stretch = 10_000;

/** Writes per second on blue undisturbed, while a candidate is seeded, and while one is kept in step. */
export async function benchThroughput(): Promise<BenchRow[]> {
  return withEnvironment(
    {
      settings: { fsync: 'on', shared_buffers: '128MB' },
      fill: async (client) => {
        await createSampleSchema(client);
        await generateSample(client, { scale: 3 });
      },
    },
    async ({ verb, load }) => {
      let rows: BenchRow[] = [];
      await load(100_000, async (workload) => {
        const rate = async (while_: Promise<unknown>): Promise<number> => {
          const from = { at: performance.now(), ...pick(workload.stats()) };
          await while_;
          return (workload.stats().acknowledged - from.acknowledged) / ((performance.now() - from.at) / 1000);
        };
        await rate(sleep(3_000));
        const before = await rate(sleep(stretch));
        const seeding = await rate(verb('seed'));
        const following = await rate(sleep(stretch));
        await verb('abandon');
        const after = await rate(sleep(stretch));
        const alone = (before + after) / 2;
        const row = (what: string, value: number): BenchRow => ({
          what,
          value: `${Math.round(value)} tx/s`,
          against: `${Math.round(alone)} tx/s undisturbed`,
          ratio: value / alone,
          goal: '≥ 0.9',
          met: value / alone >= 0.9,
        });
        rows = [
          row('throughput of blue while seeding', seeding),
          row('throughput of blue while a candidate follows', following),
        ];
      });
      return rows;
    },
  );
}

function pick({ acknowledged }: WorkloadStats): { acknowledged: number } {
  return { acknowledged };
}
