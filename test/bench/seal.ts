import { glanceAtPart } from '../../src/postgres/part/glance.ts';
import { readPart } from '../../src/postgres/part/read.ts';
import { glance } from '../../src/postgres/seal/glance.ts';
import { readObjects } from '../../src/postgres/seal/objects.ts';
import { withDatabase } from '../support/postgres.ts';
import { quantile, timed, type BenchRow } from './measure.ts';
import { makeTables } from './tables.ts';

/** Tables, and milliseconds that the look under the fence may add to the pause. */
const budgets = [
  [100, 20],
  [5_000, 100],
] as const;

async function looked(what: string, budget: number, look: () => Promise<unknown>): Promise<BenchRow> {
  const looks: number[] = [];
  for (let run = 0; run < 15; run++) looks.push((await timed(look)).seconds * 1000);
  const median = quantile(looks, 0.5);
  return {
    what,
    value: `median ${median.toFixed(1)}, max ${Math.max(...looks).toFixed(1)} ms`,
    goal: `≤ ${budget} ms`,
    met: median <= budget,
  };
}

/** What the seal takes: the look under the fence, and the reading of all objects before the hold. */
export async function benchSeal(): Promise<BenchRow[]> {
  const results: BenchRow[] = [];
  for (const [tables, budget] of budgets)
    await withDatabase(
      async (client) => {
        await makeTables(client, tables);
        const objects = await timed(() => readObjects(client));
        const before = await glance(client);
        const { cut } = await readPart(client, ['public.t1', 'public.t2']);
        results.push(
          await looked(`seal, ${tables} tables: the look under the fence`, budget, () => glance(client, before)),
          await looked(`seal, two of ${tables} tables as a part: the look under the fence`, 20, () =>
            glanceAtPart(client, cut.carried),
          ),
          {
            what: `seal, ${tables} tables: all objects, before the hold`,
            value: `${(objects.seconds * 1000).toFixed(0)} ms`,
          },
        );
      },
      { max_locks_per_transaction: '1024' },
    );
  return results;
}
