import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { State, Verb } from '../../src/model/transitions.ts';
import { operationOf, type PerformOptions } from '../../src/operations/perform.ts';
import { rows } from '../../src/postgres/client.ts';
import { killAlongTheWay, killAtSteps, killBeforeCommit, type Killed } from './kill-chain.ts';
import { killServer, nothing, served, withBench, type FaultBench } from './support.ts';
import type { Workload } from '../../src/workload/start.ts';

/** Some two hundred processes live and die in the first test: an idle machine needs minutes, a busy one a multiple. */
const timeout = 1_800_000;

function coversThePlan(verb: Verb, options: PerformOptions, killed: readonly Killed[]): void {
  const operation = operationOf(verb, options);
  for (const phase of ['start', 'complete'] as const) {
    for (const { id } of operation[phase]) {
      const there = killed.filter((one) => one.phase === phase && one.step === id).map(({ side }) => side);
      expect(there, `${verb} ${phase} ${id}`).toEqual(expect.arrayContaining(['before', 'after']));
    }
  }
}

/** Roles that an application may log in with, by colour: at most one colour has any. */
async function openColours(bench: FaultBench): Promise<string[]> {
  const open: string[] = [];
  for (const colour of ['blue', 'green'] as const) {
    if (!(await bench.platform.servers.observe(colour))?.running) continue;
    const found = await bench.on(colour, (client) => rows(client, "SELECT FROM pg_roles WHERE rolname = 'shop_app' AND rolcanlogin"));
    if (found.length > 0) open.push(colour);
  }
  return open;
}

/** Kills a switchover everywhere before its commit point, each time undone by a recovery; then everywhere after it, each time continued. */
async function killEverywhere(bench: FaultBench, workload: Workload, verb: Verb, options: PerformOptions, from: State, to: State): Promise<void> {
  const { live: before } = await bench.journal();
  const operation = operationOf(verb, options);
  const undone = async ({ step, write, side, direction }: Killed): Promise<void> => {
    const where = `${verb}, ${side} write ${write}, in ${step}`;
    if (step !== 'none') expect(direction, where).toBe('revert');
    expect((await openColours(bench)).length, where).toBeLessThanOrEqual(1);
    await bench.recover();
    await bench.settled({ state: from, live: before });
    expect(await openColours(bench), where).toEqual([before]);
    expect(await bench.platform.traffic.status()).toMatchObject({ live: before });
    if (side === 'after') await served(workload, 3);
  };
  const killed = await killAtSteps(bench, verb, operation.start.filter(({ held }) => held), undone, { options });
  killed.push(...(await killBeforeCommit(bench, verb, undone, { options })));
  const { live } = await bench.journal();
  expect(live).not.toBe(before);
  killed.push(...(await killAtSteps(bench, verb, operation.complete.filter(({ held }) => held), async ({ direction }) => expect(direction).toBe('complete'), { options })));
  expect((await bench.journal()).live).toBe(live);
  killed.push(...(await killAlongTheWay(bench, verb, { options })));
  coversThePlan(verb, { ...options, acceptLoss: true }, killed);
  await bench.settled({ state: to, live });
  expect(await openColours(bench)).toEqual([live]);
  await served(workload, 3);
}

test('faults 23, 24, 25: switch, rollback and retire, killed before and after every entry of the journal: before the commit point they are undone, after it they go forward', { timeout }, async () => {
  await withBench({ deadman: false }, async (bench) => {
    const { verdict } = await bench.exercise(async (workload) => {
      for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);
      await killEverywhere(bench, workload, 'switch', {}, 'verified', 'switched');
      await killEverywhere(bench, workload, 'rollback', {}, 'switched', 'migrated');
      await bench.verb('verify');
      await bench.verb('switch');
      await bench.harvest();
      coversThePlan('retire', { early: true }, await killAlongTheWay(bench, 'retire'));
      await served(workload);
    });
    expect(verdict).toMatchObject({ ok: true, errors: { statements: 0, connects: 0 } });
    await bench.settled({ state: 'single', live: 'green', liveRelease: '2', release: null, stream: null, closing: null });
    expect(await bench.leftovers()).toEqual(nothing);
    expect(await bench.platform.history.list()).toMatchObject([{ outcome: 'released' }]);
  });
});

test('faults 24, 25, 30: a lossy rollback to the snapshot, killed before and after every entry of the journal, is undone or goes forward, and leaves nothing', { timeout }, async () => {
  await withBench({ deadman: false }, async (bench) => {
    for (const verb of ['seed', 'migrate', 'verify', 'switch'] as const) await bench.verb(verb);
    await bench.harvest();
    const { fallback } = (await bench.journal()).release ?? {};
    expect(fallback).toBeDefined();
    // The retained colour is gone with its disk; what is left is the snapshot of just before the switchover.
    await killServer(bench, 'blue');
    await rm(bench.platform.places.server('blue', 1), { recursive: true });
    await bench.exercise(async (workload) => {
      await killEverywhere(bench, workload, 'rollback', { lossy: true, acceptLoss: true }, 'switched', 'single');
    });
    await bench.settled({ state: 'single', live: 'blue', liveRelease: '1', release: null, stream: null });
    expect(await bench.leftovers()).toEqual(nothing);
    expect(await bench.platform.history.list()).toMatchObject([{ outcome: 'rolled back' }]);
    // Whole again: a release can be made from it, and clients are served.
    const { verdict } = await bench.exercise(async (workload) => {
      await bench.verb('seed');
      await served(workload);
      await bench.verb('abandon');
    });
    expect(verdict).toMatchObject({ ok: true, errors: { statements: 0, connects: 0 } });
  });
});
