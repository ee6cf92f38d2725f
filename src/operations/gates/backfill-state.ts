import { other, type Colour } from '../../model/colours.ts';
import { hasTarget, tableOf } from '../../migrations/backfill/plan.ts';
import { readBackfills, type Backfill } from '../../migrations/backfill/files.ts';
import { missing } from '../../migrations/backfill/missing.ts';
import { isDone, readProgress, type RecordedProgress } from '../../migrations/backfill/progress.ts';
import { label, readTables, type Table } from '../../postgres/catalogue.ts';
import { mapTables, type Mapping } from '../../postgres/mapping.ts';
import type { Context } from '../engine/context.ts';

/**
 * Where a backfill runs. `candidate`: its columns are there alone, so nobody waits and nothing is replicated. `live`:
 * the live colour has the columns too; filled on the candidate they would part from the live colour's and be
 * overwritten by its next change of the row, so it runs on the live colour and replication carries it. `mixed`: columns
 * of both kinds. `later`: a migration adds them.
 */
export type BackfillPlace = 'candidate' | 'live' | 'mixed' | 'later';

export interface BackfillState {
  readonly backfill: Backfill;
  readonly place: BackfillPlace;
  readonly progress: RecordedProgress | undefined;
  readonly done: boolean;
  /**
   * Complete, and a later release took away what it fills or what that is made of: why it cannot be read any more.
   * Nothing is left to do.
   */
  readonly outlived: string | undefined;
}

export interface BackfillStates {
  readonly backfills: readonly BackfillState[];
  /** Begun, not complete, and their file is gone. */
  readonly orphans: readonly RecordedProgress[];
}

/** Whether there is a candidate now: from `seeded` up to the switchover. */
export function hasCandidate(c: Context): boolean {
  return (
    c.journal.release !== null &&
    c.journal.stream !== null &&
    c.journal.state !== 'single' &&
    c.journal.state !== 'switched'
  );
}

/**
 * Folders whose backfills concern the environment: the release's, and before and after one those of the live colour and
 * the next.
 */
async function declared(c: Context): Promise<Backfill[]> {
  const { colours } = c.environment;
  const concerned = c.journal.release
    ? [colours[c.journal.release.candidate]]
    : [colours[c.live], colours[other(c.live)]];
  const folders = new Set(concerned.flatMap((colour) => (colour?.migrations === undefined ? [] : [colour.migrations])));
  const found: Backfill[] = [];
  for (const folder of folders)
    for (const backfill of await readBackfills(folder))
      if (!found.some(({ name }) => name === backfill.name)) found.push(backfill);
  return found;
}

export function placeOf(backfill: Backfill, tables: readonly Table[], forward: Mapping | undefined): BackfillPlace {
  if (!hasTarget(tables, backfill)) return 'later';
  if (!forward) return 'live';
  const wanted = tableOf(tables, backfill);
  const published = forward.published.find(({ table }) => wanted && label(table) === label(wanted));
  if (!published) return 'candidate';
  const source = forward.common.find(({ from }) => wanted && label(from) === label(wanted))?.from;
  const carried = new Set(
    published.columns ?? source?.columns.filter(({ generated }) => !generated).map(({ name }) => name),
  );
  const shared = backfill.assignments.filter(({ column }) => carried.has(column)).length;
  return shared === 0 ? 'candidate' : shared === backfill.assignments.length ? 'live' : 'mixed';
}

/**
 * Every backfill that is declared, where it runs and how far it is; read from files and databases, nothing is changed.
 */
export async function readBackfillStates(c: Context): Promise<BackfillStates> {
  const backfills = await declared(c);
  const candidate = hasCandidate(c) && (await c.platform.servers.observe(c.idle))?.running === true;
  const read = (colour: Colour) =>
    c.on(colour, async (client) => ({
      tables: backfills.length === 0 ? [] : await readTables(client),
      progress: await readProgress(client),
    }));
  const live = await read(c.live);
  const there = candidate ? await read(c.idle) : undefined;
  const forward = there && mapTables(live.tables, there.tables, 'forward');
  const known = there ? [...there.progress, ...live.progress] : live.progress;
  const placed = backfills.map((backfill) => {
    const place = placeOf(backfill, (there ?? live).tables, forward);
    return {
      backfill,
      place,
      progress: (place === 'live' ? live.progress : known).find(({ name }) => name === backfill.name),
      done: isDone(backfill, place === 'candidate' ? (there ?? live).progress : known),
    };
  });
  const states: BackfillState[] = [];
  for (const state of placed) {
    // Of the candidate alone it is never outlived: rows that arrive there from the live release need it until the switchover.
    const at =
      state.place === 'live' ? { colour: c.live, ...live } : { colour: there ? c.idle : c.live, ...(there ?? live) };
    const outlived =
      state.done && (state.place === 'live' || state.place === 'later')
        ? await c.look(at.colour, (client) => missing(client, at.tables, state.backfill), 'theirs')
        : undefined;
    states.push({ ...state, outlived });
  }
  return {
    backfills: states,
    orphans: known.filter(
      ({ name, doneAt }, index) =>
        doneAt === null &&
        !backfills.some((backfill) => backfill.name === name) &&
        known.findIndex((each) => each.name === name) === index,
    ),
  };
}
