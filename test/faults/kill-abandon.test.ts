import { expect, test } from 'vitest';
import { operationOf } from '../../src/operations/table.ts';
import { rows, type Client } from '../../src/postgres/client.ts';
import { until } from '../support/until.ts';
import { good } from '../support/verdict.ts';
import { nothing, withBench, type FaultBench } from './support.ts';

/** Ten times what an idle machine needs. */
const timeout = 1_500_000;

test(
  'fault 3: a seed killed after any of its steps is cleared by abandon, and leaves nothing',
  { timeout },
  async () => {
    await withBench({}, async (bench) => {
      const { verdict } = await bench.exercise(async () => {
        for (const { id } of operationOf('seed').start) {
          expect(await bench.operators.run('seed', { dieAfter: id })).toEqual({ how: 'killed' });
          expect((await bench.journal()).operation?.steps.at(-1)).toMatchObject({ id });
          await bench.verb('abandon');
          expect(await bench.leftovers(), `killed after ${id}`).toEqual(nothing);
          await bench.settled({ state: 'single', release: null });
        }
      });
      expect(verdict).toMatchObject(good);
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);

/** What of replication is on the live colour, by its own catalogue. */
const ours = (client: Client) =>
  rows(
    client,
    `SELECT (SELECT count(*)::int FROM pg_replication_slots) AS slots, count(DISTINCT p.oid)::int AS publications,
      count(r.prrelid)::int AS tables FROM pg_publication p LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid`,
  );
const emptied = { slots: 0, publications: 1, tables: 0 };

/** Kills the verb while its publication is empty and not yet dropped: it waits then for a statement of a client. */
async function killedBetween(bench: FaultBench, verb: 'abandon' | 'retire'): Promise<void> {
  const { live } = await bench.journal();
  const statement = bench.on(live, (client) => client.query('SELECT pg_sleep(600)')).catch((error: Error) => error);
  const operator = await bench.operators.start(verb);
  await bench.on(live, async (client) => {
    await until('a publication without tables', async () => (await ours(client))[0]?.['tables'] === 0, 60_000);
    process.kill(operator.pid, 'SIGKILL');
    expect(await operator.ended).toEqual({ how: 'killed' });
    expect(await ours(client)).toEqual([emptied]);
    await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'");
  });
  expect(await statement).toBeInstanceOf(Error);
}

test(
  'abandon and retire, killed between the emptying and the dropping of their publication, leave nothing once run again',
  { timeout },
  async () => {
    await withBench({}, async (bench) => {
      const { verdict } = await bench.exercise(async () => {
        for (const [verb, before] of [
          ['abandon', ['seed']],
          ['retire', ['seed', 'migrate', 'verify', 'switch']],
        ] as const) {
          for (const each of before) await bench.verb(each);
          await killedBetween(bench, verb);
          await bench.harvest();
          await bench.verb(verb);
          expect(await bench.leftovers(), verb).toEqual(nothing);
          await bench.settled({ state: 'single', release: null, stream: null, closing: null });
        }
      });
      expect(verdict).toMatchObject(good);
    });
  },
);
