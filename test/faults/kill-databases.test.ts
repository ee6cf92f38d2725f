import { rm } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { bothServed, clientsOfBoth, fillBilling, inBilling, leftInBilling } from '../support/two-databases.ts';
import { withNewestPgDump } from '../support/client-programs.ts';
import { credentials } from '../support/external.ts';
import { betweenManaged } from '../support/managed-server.ts';
import { good } from '../support/verdict.ts';
import { coversThePlan, killAlongTheWay } from './kill-chain.ts';
import { killEverywhere } from './kill-everywhere.ts';
import { killServer, nothing, withBench, type FaultBench } from './support.ts';

/** Ten times what an idle machine needs. */
const timeout = 2_400_000;

beforeAll(withNewestPgDump);

async function withTwo(use: (bench: FaultBench) => Promise<void>): Promise<void> {
  await withBench({ deadman: false, declaration: { databases: ['billing'] } }, async (bench) => {
    await inBilling(bench, 'blue', fillBilling);
    await use(bench);
  });
}

/** Between servers of others, without a superuser on either. */
async function withTwoManaged(use: (bench: FaultBench) => Promise<void>): Promise<void> {
  await betweenManaged(
    (declaration) => withBench({ deadman: false, declaration, existing: credentials }, use),
    ['billing'],
  );
}

/** Each entry of a verb that goes on where it was, and what is left when the environment is single again. */
const along = [
  { verb: 'seed', before: [], after: { state: 'seeded', live: 'blue' } },
  { verb: 'abandon', before: ['seed'], after: { state: 'single', live: 'blue', release: null, stream: null } },
  {
    verb: 'retire',
    before: ['seed', 'migrate', 'verify', 'switch'],
    after: { state: 'single', live: 'green', release: null, stream: null, closing: null },
  },
] as const;

test.for(along)(
  'two databases: $verb, killed before and after every entry of the journal; nothing is lost or left in either',
  { timeout },
  async ({ verb, before, after }) => {
    await withTwo(async (bench) => {
      const both = await clientsOfBoth(
        bench,
        async (workloads) => {
          for (const each of before) await bench.verb(each);
          await bench.harvest();
          coversThePlan(verb, await killAlongTheWay(bench, verb));
          await bothServed(workloads, 10);
        },
        bench.exercise,
      );
      for (const { verdict } of both) expect(verdict).toMatchObject(good);
      await bench.settled(after);
      if (after.state !== 'single') return;
      expect(await bench.leftovers()).toEqual(nothing);
      expect(await inBilling(bench, after.live, leftInBilling)).toEqual({ publications: [], barriers: [] });
    });
  },
);

/** Each switchover: undone before its commit point, continued behind it. */
const moving = [
  { verb: 'switch', before: ['seed', 'migrate', 'verify'], from: 'verified', to: 'switched' },
  { verb: 'rollback', before: ['seed', 'migrate', 'verify', 'switch'], from: 'switched', to: 'migrated' },
] as const;

/** What closes a colour. */
const closing = [
  { by: 'a superuser', within: withTwo },
  { by: 'rights alone', within: withTwoManaged },
];

test.for(moving.flatMap((each) => closing.map((how) => ({ ...each, ...how }))))(
  'two databases, closed by $by: $verb, killed before and after every entry of the journal; nothing is lost in either',
  { timeout },
  async ({ verb, before, from, to, within }) => {
    await within(async (bench) => {
      const both = await clientsOfBoth(
        bench,
        async (workloads) => {
          for (const each of before) await bench.verb(each);
          await killEverywhere(bench, workloads[0], verb, {}, from, to);
          await bothServed(workloads);
        },
        bench.exercise,
      );
      for (const { verdict } of both) expect(verdict).toMatchObject(good);
    });
  },
);

test(
  'two databases: a lossy rollback to the snapshot, killed before and after every entry of the journal, is undone or goes forward',
  { timeout },
  async () => {
    await withTwo(async (bench) => {
      for (const verb of ['seed', 'migrate', 'verify', 'switch'] as const) await bench.verb(verb);
      await bench.harvest();
      await killServer(bench, 'blue');
      await rm(bench.platform.places.server('blue', 1), { recursive: true });
      await bench.exercise(async (workload) => {
        await killEverywhere(bench, workload, 'rollback', { lossy: true, acceptLoss: true }, 'switched', 'single');
      });
      await bench.settled({ state: 'single', live: 'blue', liveRelease: '1', release: null, stream: null });
      expect(await bench.leftovers()).toEqual(nothing);
      expect(await inBilling(bench, 'blue', leftInBilling)).toEqual({ publications: [], barriers: [] });
      const both = await clientsOfBoth(bench, (workloads) => bothServed(workloads), bench.exercise);
      for (const { verdict } of both) expect(verdict).toMatchObject(good);
    });
  },
);
