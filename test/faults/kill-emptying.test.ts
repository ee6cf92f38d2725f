import { expect, test } from 'vitest';
import type { Colour } from '../../src/model/colours.ts';
import type { Verb } from '../../src/model/transitions.ts';
import { one, rows, type Client } from '../../src/postgres/client.ts';
import type { Workload } from '../../src/workload/start.ts';
import { until } from '../support/until.ts';
import { good } from '../support/verdict.ts';
import { nothing, served, withBench, type FaultBench } from './support.ts';

/** Ten times what an idle machine needs. */
const timeout = 1_500_000;

/** Publications and how many tables each has, by the server's own catalogue. */
const publications = (client: Client) =>
  rows<{ name: string; tables: number }>(
    client,
    `SELECT pubname AS name, (SELECT count(*)::int FROM pg_publication_rel WHERE prpubid = p.oid) AS tables
    FROM pg_publication p ORDER BY 1`,
  );

/**
 * Kills the verb while a publication on `colour` is empty and not yet dropped: it waits then for a statement of a
 * client. Returns the publication's name.
 */
async function killedBetween(bench: FaultBench, verb: Verb, colour: Colour): Promise<string> {
  const sleeping = 'SELECT pg_sleep(600)';
  const statement = bench.on(colour, (client) => client.query(sleeping)).catch((error: Error) => error);
  const operator = await bench.operators.start(verb);
  const name = await bench.on(colour, async (client) => {
    const empty = async () => (await publications(client)).find(({ tables }) => tables === 0)?.name;
    let found: string | undefined;
    await until(`${verb}: a publication without tables`, async () => (found = await empty()) !== undefined, 60_000);
    process.kill(operator.pid, 'SIGKILL');
    expect(await operator.ended).toEqual({ how: 'killed' });
    expect(await empty(), 'it is there still').toBe(found);
    await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = $1', [sleeping]);
    return found ?? '';
  });
  expect(await statement).toBeInstanceOf(Error);
  return name;
}

/** Every publication on the colour, of which each has tables: the reverse stream's, and a witness of the proof. */
async function whole(bench: FaultBench, colour: Colour): Promise<string[]> {
  const found = await bench.on(colour, publications);
  expect(found.filter(({ tables }) => tables < 2)).toEqual([]);
  return found.map(({ name }) => name);
}

async function ready(bench: FaultBench, ...verbs: readonly Verb[]): Promise<void> {
  for (const verb of verbs) await bench.verb(verb);
}

/** Back to the retained colour, where all that was acknowledged since is found again. */
async function back(bench: FaultBench, workload: Workload): Promise<void> {
  await served(workload);
  await bench.verb('rollback');
  await served(workload);
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
          await ready(bench, ...before);
          await killedBetween(bench, verb, (await bench.journal()).live);
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

test(
  'a seed that is undone, killed between the emptying and the dropping of its publication, leaves nothing, and is made anew',
  { timeout },
  async () => {
    await withBench({}, async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        for (const next of ['abandon', 'seed'] as const) {
          expect(await bench.operators.run('seed', { dieAfter: 'enable' })).toEqual({ how: 'killed' });
          const name = await killedBetween(bench, 'abandon', 'blue');
          expect((await bench.journal()).operation).toMatchObject({ verb: 'seed', phase: 'revert' });
          await bench.verb(next);
          const left = (await bench.on('blue', publications)).map((publication) => publication.name);
          expect(left).not.toContain(name);
          if (next === 'abandon') expect(await bench.leftovers()).toEqual(nothing);
        }
        await ready(bench, 'migrate', 'verify', 'switch');
        await back(bench, workload);
      });
      expect(verdict).toMatchObject(good);
    });
  },
);

test(
  'a switchover that is undone, killed between the emptying and the dropping of what it prepared the other way, can be repeated and gone back from',
  { timeout },
  async () => {
    await withBench({}, async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        await ready(bench, 'seed', 'migrate', 'verify');
        expect(await bench.operators.run('switch', { dieAfter: 'prepare-reverse' })).toEqual({ how: 'killed' });
        const name = await killedBetween(bench, 'switch', 'green');
        await bench.settled({ live: 'blue', state: 'verified', operation: (await bench.journal()).operation });
        await bench.verb('switch');
        expect((await bench.journal()).stream?.name).toBe(name);
        expect(await whole(bench, 'green')).toContain(name);
        await back(bench, workload);
      });
      expect(verdict).toMatchObject(good);
    });
  },
);

test(
  'switch and rollback, killed between the emptying and the dropping of what has ended, go on to where they were bound',
  { timeout },
  async () => {
    await withBench({}, async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        await ready(bench, 'seed', 'migrate', 'verify');
        for (const [verb, state] of [
          ['switch', 'switched'],
          ['rollback', 'migrated'],
        ] as const) {
          const name = await killedBetween(bench, verb, 'green');
          expect((await bench.journal()).operation, verb).toMatchObject({ verb, phase: 'complete' });
          await served(workload);
          await bench.recover();
          await bench.settled({ state, closing: null });
          expect(await whole(bench, 'green'), verb).not.toContain(name);
          await served(workload);
        }
        await ready(bench, 'verify', 'switch');
        await back(bench, workload);
        await bench.harvest();
        await bench.verb('abandon');
      });
      expect(verdict).toMatchObject(good);
      expect(await bench.leftovers()).toEqual(nothing);
      expect(await bench.on('blue', (client) => one(client, 'SELECT count(*)::int AS n FROM pg_publication'))).toEqual({
        n: 0,
      });
    });
  },
);
