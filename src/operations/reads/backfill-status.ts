import type { Colour } from '../../model/colours.ts';
import { tableOf } from '../../migrations/backfill/plan.ts';
import type { RecordedProgress } from '../../migrations/backfill/progress.ts';
import { pressing } from '../../migrations/backfill/throttle.ts';
import { readTables } from '../../postgres/catalogue.ts';
import { rows } from '../../postgres/client.ts';
import { pressureOf } from '../verbs/one-backfill.ts';
import { readBackfillStates, type BackfillState } from '../gates/backfill-state.ts';
import type { Context } from '../engine/context.ts';

export interface BackfillStatus {
  readonly name: string;
  readonly table: string;
  /**
   * Where it runs, or is to run; undefined while a migration has still to add its columns, and where it can run
   * nowhere.
   */
  readonly colour?: Colour | undefined;
  readonly state: 'complete' | 'running' | 'stopped' | 'not begun' | 'orphaned';
  /** Rows looked at, those of earlier runs included. */
  readonly seen: number;
  /** The planner's estimate; undefined where it has none. */
  readonly total?: number | undefined;
  readonly rowsPerSecond?: number | undefined;
  readonly secondsLeft?: number | undefined;
  /** What stands in its way at this moment, or is to be done for it to go on. */
  readonly waiting?: string | undefined;
}

/**
 * How far every backfill is that is declared or was left unfinished; those that a later release has outlived are left
 * out.
 */
export async function readBackfillStatus(c: Context): Promise<BackfillStatus[]> {
  const { backfills, orphans } = await readBackfillStates(c);
  return [
    ...(await Promise.all(
      backfills.filter(({ outlived }) => outlived === undefined).map((state) => statusOf(c, state)),
    )),
    ...orphans.map(({ name, seen }): BackfillStatus => ({
      name,
      table: '',
      state: 'orphaned',
      seen,
      waiting: `for its file, which is gone: put it back, or \`verdigris backfill --forget ${name}\``,
    })),
  ];
}

async function statusOf(c: Context, state: BackfillState): Promise<BackfillStatus> {
  const { backfill, place, progress, done } = state;
  const colour = place === 'live' ? c.live : place === 'candidate' ? c.idle : undefined;
  const runner = progress?.runner ?? undefined;
  const seen = progress?.seen ?? 0;
  const base = { name: backfill.name, table: backfill.table, colour, seen };
  if (runner === undefined || colour === undefined)
    return {
      ...base,
      state: done ? 'complete' : progress ? 'stopped' : 'not begun',
      waiting: done ? undefined : toBeDone(state),
    };
  const total = await c.on(colour, async (client) =>
    Math.max(0, Math.round(tableOf(await readTables(client), backfill)?.estimatedRows ?? 0)),
  );
  const rate = progress?.rowsPerSecond ?? 0;
  return {
    ...base,
    state: 'running',
    total: total > 0 ? Math.max(total, seen) : undefined,
    rowsPerSecond: rate > 0 ? rate : undefined,
    secondsLeft: rate > 0 && total > seen ? (total - seen) / rate : undefined,
    waiting:
      (await lockedOut(c, colour, runner)) ??
      (
        await pressing(pressureOf(c), {
          lag: backfill.limits.lag ?? c.environment.limits.lag,
          active: backfill.limits.active,
        })
      ).why,
  };
}

function toBeDone({ backfill: { name }, place }: BackfillState): string {
  switch (place) {
    case 'live':
      return `for consent to writes on the live colour: \`verdigris backfill --live --name ${name}\``;
    case 'candidate':
      return `for \`verdigris backfill --name ${name}\`, or the next \`verdigris migrate\``;
    case 'mixed':
      return 'for two files: some of its columns are on the live colour, others are not';
    case 'later':
      return 'for the migration that adds its columns';
  }
}

async function lockedOut(
  c: Context,
  colour: Colour,
  runner: NonNullable<RecordedProgress['runner']>,
): Promise<string | undefined> {
  const blockers = await c.on(colour, (client) =>
    rows<{ who: string }>(
      client,
      "SELECT usename || ' (pid ' || pid || ')' AS who FROM pg_stat_activity WHERE pid = ANY (pg_blocking_pids($1)) ORDER BY pid",
      [runner],
    ),
  );
  return blockers.length === 0
    ? undefined
    : `for rows that ${blockers.map(({ who }) => who).join(', ')} ${blockers.length === 1 ? 'has' : 'have'} locked`;
}
