import { VerdigrisError } from '../../model/errors.ts';
import type { Backfill } from '../../migrations/backfill/files.ts';
import { ownerOn, withOwner } from '../engine/owner-session.ts';
import { removeKeepers } from '../../migrations/backfill/keeper.ts';
import { markDone } from '../../migrations/backfill/progress.ts';
import { runBackfill, type BackfillProgress, type BackfillReport } from '../../migrations/backfill/run.ts';
import type { Pressure } from '../../migrations/backfill/throttle.ts';
import { one, type Client } from '../../postgres/client.ts';
import { ensureControlSchema } from '../../postgres/control.ts';
import { readSlot } from '../../postgres/stream/slot.ts';
import { hasCandidate, readBackfillStates, type BackfillState } from '../gates/backfill-state.ts';
import type { Context } from '../engine/context.ts';

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

/** What backfills yield to: replication from the live colour, and its clients. */
export function pressureOf(c: Context): Pressure {
  return {
    lag: async () => {
      const { stream } = c.journal;
      return stream ? c.on(stream.from, async (client) => (await readSlot(client, stream.name))?.behind) : undefined;
    },
    active: async () =>
      (
        await c.on(c.live, (client) =>
          one<{ n: number }>(
            client,
            "SELECT count(*)::int AS n FROM pg_stat_activity WHERE backend_type = 'client backend' AND state = 'active' AND usename NOT LIKE 'verdigris%'",
          ),
        )
      ).n,
  };
}

/** Runs one backfill on the candidate, in a session of its owner's. */
export function backfillCandidate(
  c: Context,
  session: { readonly client: Client; readonly operator: Client; readonly owner: string | undefined },
  backfill: Backfill,
  parts: {
    readonly release: string;
    readonly again: boolean;
    readonly step: string;
    readonly until?: number | undefined;
  },
): Promise<BackfillReport> {
  const { client, operator, owner } = session;
  return runBackfill(client, backfill, {
    ...parts,
    operator,
    owner,
    onCandidate: true,
    pressure: pressureOf(c),
    lagLimit: c.environment.limits.lag,
    signal: c.signal,
    onProgress: (progress) => emitProgress(c, parts.step, progress),
  });
}

function emitProgress(
  c: Context,
  step: string,
  { name, seen, total, rowsPerSecond, secondsLeft, waiting }: BackfillProgress,
): void {
  const left =
    secondsLeft === undefined
      ? ''
      : `, about ${secondsLeft < 90 ? `${Math.ceil(secondsLeft)} s` : `${Math.ceil(secondsLeft / 60)} min`} left`;
  c.emit({
    type: 'progress',
    step,
    done: seen,
    total: Math.max(total, seen),
    unit: 'rows',
    note: `${name}: ${Math.round(rowsPerSecond)} rows/s${left}${waiting === undefined ? '' : `, waiting: ${waiting}`}`,
  });
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
    throw new VerdigrisError('backfill-unknown', {
      seen: `There is no backfill ${unknown}.`,
      required: `one of: ${backfills.map((state) => state.backfill.name).join(', ') || 'none is declared'}.`,
      next: 'fix --name, or the folder of the migrations.',
    });
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
  const candidate = hasCandidate(c);
  await c.keeping(candidate ? [c.live, c.idle] : [c.live], async () => {
    for (const { backfill: each, place, done } of due.filter((state) => state.place === 'candidate')) {
      c.signal.throwIfAborted();
      await c.on(c.idle, ensureControlSchema);
      const owner = await ownerOn(c, c.idle);
      reports.push(
        await withOwner(
          c,
          c.idle,
          owner,
          (client, operator) =>
            backfillCandidate(c, { client, operator, owner }, each, {
              release: c.journal.release?.to ?? c.journal.liveRelease,
              again: done && place === 'candidate',
              step: 'backfill',
              until,
            }),
          { quietly: true },
        ),
      );
    }
    const onLive = due.filter(({ place }) => place === 'live' || place === 'mixed');
    if (onLive.length > 0 && !options.live)
      throw needsLive(
        c,
        onLive.map((state) => state.backfill.name),
      );
    for (const { backfill: each, done, place } of onLive) {
      if (place === 'mixed')
        throw new VerdigrisError('backfill-mixed', {
          seen: `${each.name} fills columns that the live colour has and columns that it does not have.`,
          required: 'columns of one kind: the first are filled on the live colour, the others on the candidate.',
          next: 'split it into two files.',
        });
      await c.on(c.live, ensureControlSchema);
      const owner = await ownerOn(c, c.live);
      reports.push(
        await withOwner(
          c,
          c.live,
          owner,
          (client, operator) =>
            runBackfill(client, each, {
              operator,
              owner,
              release: c.journal.liveRelease,
              onCandidate: false,
              again: done,
              until,
              pressure: pressureOf(c),
              lagLimit: c.environment.limits.lag,
              signal: c.signal,
              onProgress: (progress) => emitProgress(c, 'backfill', progress),
            }),
          { quietly: true },
        ),
      );
      // The rows come by replication; so that the candidate, once live, knows it too.
      if (candidate)
        await c.ifRunning(c.idle, (client) => markDone(client, each, c.journal.release?.to ?? c.journal.liveRelease));
    }
  });
  return reports;
}

/** Gives up a backfill whose file is gone: what is filled stays, its trigger and its record go. */
export async function forgetBackfill(c: Context, name: string): Promise<void> {
  const { backfills, orphans } = await readBackfillStates(c);
  if (backfills.some((state) => state.backfill.name === name))
    throw new VerdigrisError('backfill-declared', {
      seen: `${name} has a file.`,
      required: 'a backfill whose file is gone.',
      next: 'remove the file first, if the backfill is no longer wanted.',
    });
  if (!orphans.some((orphan) => orphan.name === name))
    throw new VerdigrisError('backfill-unknown', {
      seen: `There is no unfinished backfill ${name}.`,
      required: `one of: ${orphans.map((orphan) => orphan.name).join(', ') || 'none is orphaned'}.`,
      next: 'see `verdigris backfill --dry-run`.',
    });
  for (const colour of hasCandidate(c) ? [c.idle, c.live] : [c.live]) {
    await c.on(colour, async (client) => {
      await ensureControlSchema(client);
      await removeKeepers(client, [name]);
      await client.query('DELETE FROM verdigris.backfill WHERE name = $1', [name]);
    });
  }
}

function needsLive(c: Context, names: readonly string[]): VerdigrisError {
  return new VerdigrisError('backfill-needs-live', {
    seen: `${names.join(', ')} ${names.length === 1 ? 'fills' : 'fill'} columns of the live colour ${c.live}, which clients use.`,
    required: 'consent to writes there: in batches, yielding to clients and replication.',
    next: 'run `verdigris backfill --live`.',
    facts: { backfills: names },
  });
}

function outlivedError({ backfill: { name, path }, outlived }: BackfillState): VerdigrisError {
  return new VerdigrisError('backfill-outlived', {
    seen: `${name} is complete, and a later release removed what it refers to: ${outlived ?? ''}.`,
    required: 'a table with the columns that it fills and reads.',
    next: `remove its file: ${path}. Nothing waits for it.`,
    facts: { backfill: name, file: path },
  });
}
