import type { Colour } from '../../model/colours.ts';
import type { Backfill } from '../../migrations/backfill/files.ts';
import { ownerOn, withOwner } from '../engine/owner-session.ts';
import { markDone } from '../../migrations/backfill/progress.ts';
import type { BackfillReport } from '../../migrations/backfill/run.ts';
import { ensureControlSchema } from '../../postgres/control.ts';
import { hasCandidate, readBackfillStates } from '../gates/backfill-state.ts';
import type { Context } from '../engine/context.ts';
import { mixedBackfill, needsLive, outlivedError, unknownBackfill } from './backfill-errors.ts';
import { oneBackfill } from './one-backfill.ts';

export interface BackfillOptions {
  /** Those of these names; all that are not complete without it. */
  readonly names?: readonly string[] | undefined;
  /** Writes on the live colour are consented to. */
  readonly live?: boolean | undefined;
  /** Those that are complete too: fixes rows that drifted. */
  readonly again?: boolean | undefined;
  /** Milliseconds for all of them together. */
  readonly time?: number | undefined;
}

/**
 * Brings the backfills that are declared to their end, wherever they run. Resumable at any point; writes on the live
 * colour only with `live`.
 * @throws VerdigrisError `backfill-unknown`, `backfill-outlived`, `backfill-needs-live`, and what `runBackfill` throws.
 */
export async function backfill(c: Context, options: BackfillOptions): Promise<BackfillReport[]> {
  const until = options.time === undefined ? undefined : performance.now() + options.time;
  const { backfills } = await readBackfillStates(c);
  const unknown = options.names?.find((name) => !backfills.some((state) => state.backfill.name === name));
  if (unknown !== undefined)
    throw unknownBackfill(
      `There is no backfill ${unknown}.`,
      backfills.map((state) => state.backfill.name).join(', ') || 'none is declared',
      'fix --name, or the folder of the migrations',
    );
  const gone = backfills.find(
    ({ backfill: { name }, outlived }) => outlived !== undefined && options.names?.includes(name),
  );
  if (gone) throw outlivedError(gone);
  const due = backfills.filter(
    ({ backfill: { name }, done, place, outlived }) =>
      place !== 'later' &&
      outlived === undefined &&
      (options.names?.includes(name) ?? true) &&
      (!done || options.again === true),
  );
  const reports: BackfillReport[] = [];
  const fill = async (colour: Colour, each: Backfill, how: { readonly release: string; readonly again: boolean }) => {
    await c.on(colour, ensureControlSchema);
    const owner = await ownerOn(c, colour);
    const onCandidate = colour !== c.live;
    reports.push(
      await withOwner(
        c,
        colour,
        owner,
        (client, operator) =>
          oneBackfill(c, { client, operator, owner }, each, { ...how, onCandidate, step: 'backfill', until }),
        { quietly: true },
      ),
    );
  };
  const candidate = hasCandidate(c);
  const coming = c.journal.release?.to ?? c.journal.liveRelease;
  await c.keeping(candidate ? [c.live, c.idle] : [c.live], async () => {
    for (const { backfill: each, done } of due.filter((state) => state.place === 'candidate')) {
      c.signal.throwIfAborted();
      await fill(c.idle, each, { release: coming, again: done });
    }
    const onLive = due.filter(({ place }) => place === 'live' || place === 'mixed');
    if (onLive.length > 0 && !options.live)
      throw needsLive(
        c.live,
        onLive.map((state) => state.backfill.name),
      );
    for (const { backfill: each, done, place } of onLive) {
      if (place === 'mixed') throw mixedBackfill(each.name);
      await fill(c.live, each, { release: c.journal.liveRelease, again: done });
      // The rows come by replication; so that the candidate, once live, knows it too.
      if (candidate) await c.ifRunning(c.idle, (client) => markDone(client, each, coming));
    }
  });
  return reports;
}
