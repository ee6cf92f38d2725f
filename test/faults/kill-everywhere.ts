import { expect } from 'vitest';
import type { State, Verb } from '../../src/model/transitions.ts';
import { operationOf, type PerformOptions } from '../../src/operations/table.ts';
import type { Platform } from '../../src/platform/port/platform.ts';
import { rows } from '../../src/postgres/client.ts';
import type { Workload } from '../../src/workload/start.ts';
import {
  coversThePlan,
  killAlongTheWay,
  killAtSteps,
  killBeforeCommit,
  type KillBench,
  type Killed,
} from './kill-chain.ts';
import { served, type FaultBench } from './support.ts';

/** What moving writes under kills needs, on either platform. */
export type MoveBench = KillBench & Pick<FaultBench, 'on' | 'recover' | 'settled'> & { readonly platform: Platform };

/** Colours that an application may write to: at most one. Where some tables alone are closed, it is by their triggers. */
async function openColours(bench: MoveBench): Promise<string[]> {
  const open: string[] = [];
  for (const colour of ['blue', 'green'] as const) {
    if (!(await bench.platform.servers.observe(colour))?.running) continue;
    const found = await bench.on(colour, (client) =>
      rows(
        client,
        `SELECT FROM pg_roles WHERE rolname = 'shop_app' AND rolcanlogin AND has_database_privilege(oid, 'shop', 'CONNECT')
        AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'verdigris_fence' AND tgenabled = 'A')`,
      ),
    );
    if (found.length > 0) open.push(colour);
  }
  return open;
}

/**
 * Kills a switchover everywhere before its commit point, each time undone by a recovery; then everywhere after it, each
 * time continued.
 */
export async function killEverywhere(
  bench: MoveBench,
  workload: Workload,
  verb: Verb,
  options: PerformOptions,
  from: State,
  to: State,
): Promise<void> {
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
  const killed = await killAtSteps(
    bench,
    verb,
    operation.start.filter(({ held }) => held),
    undone,
    { options },
  );
  killed.push(...(await killBeforeCommit(bench, verb, undone, { options })));
  const { live } = await bench.journal();
  expect(live).not.toBe(before);
  killed.push(
    ...(await killAtSteps(
      bench,
      verb,
      operation.complete.filter(({ held }) => held),
      async ({ direction }) => expect(direction).toBe('complete'),
      { options },
    )),
  );
  expect((await bench.journal()).live).toBe(live);
  killed.push(...(await killAlongTheWay(bench, verb, { options })));
  coversThePlan(verb, killed, options);
  await bench.settled({ state: to, live });
  expect(await openColours(bench)).toEqual([live]);
  await served(workload, 3);
}
