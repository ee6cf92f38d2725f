import { readShapeLedger, type ShapeLedger } from '../../migrations/expand-contract/ledger.ts';
import { readHalves } from '../../migrations/expand-contract/recipes/kept.ts';
import { byRelease, waits, type Now, type ReleaseShape, type Wait } from '../../migrations/expand-contract/waits.ts';
import { readBackfillStates } from '../gates/backfill-state.ts';
import type { Context } from '../engine/context.ts';

export interface WaitReport {
  readonly live: string;
  readonly other?: Now['other'];
  readonly waits: readonly Wait[];
  /** Second halves of recipes that the live colour still waits for: what goes or takes less with each. */
  readonly halves: readonly (readonly string[])[];
  readonly releases: readonly ReleaseShape[];
}

/**
 * What waits for what, by the newest ledger there is: the candidate's once it is migrated, else that of the live
 * colour.
 */
export async function readWaits(c: Context): Promise<{ report: WaitReport; ledger: ShapeLedger }> {
  const { state, liveRelease, release } = c.journal;
  const candidate =
    release !== null &&
    ['migrated', 'verified', 'canary'].includes(state) &&
    (await c.platform.servers.observe(c.idle))?.running === true;
  const ledger = candidate
    ? await c.on(c.idle, (client) => readShapeLedger(client, release.to))
    : await c.on(c.live, (client) => readShapeLedger(client, liveRelease));
  const other: Now['other'] =
    release === null
      ? undefined
      : state === 'switched'
        ? { release: release.from, role: 'retained' }
        : { release: release.to, role: 'candidate' };
  const { backfills } = await readBackfillStates(c);
  const pending = backfills
    .filter(({ done }) => !done)
    .map(({ backfill: { name, table, assignments }, progress }) => ({
      name,
      fills: assignments.map(({ column }) => `${table.includes('.') ? table : `public.${table}`}.${column}`),
      state: progress ? `${progress.seen} rows so far` : 'not begun',
    }));
  return {
    ledger,
    report: {
      live: liveRelease,
      other,
      halves: (await c.on(c.live, readHalves)).map(({ objects }) => objects),
      waits: waits(ledger, { live: liveRelease, other, backfills: pending }),
      releases: byRelease(ledger),
    },
  };
}
