import { finding, type Finding } from '../../model/finding.ts';
import { rowsInNeed } from '../../migrations/backfill/need.ts';
import { planBackfill } from '../../migrations/backfill/plan.ts';
import type { Backfill } from '../../migrations/backfill/files.ts';
import { readBackfillStates, type BackfillState, type BackfillPlace } from './backfill-state.ts';
import type { Context } from '../engine/context.ts';

/** Rows that drifted are counted up to this many. */
const most = 1_000;
/**
 * Milliseconds for the count: it reads the table where no index serves the condition, and no client waits meanwhile.
 */
const countLimit = 30_000;

/** What a backfill's columns make of it, as a finding where it cannot run by itself. */
export function placeFinding(
  { name, table, assignments }: Backfill,
  place: BackfillPlace,
  grade: 'refuse' | 'warn',
): Finding | undefined {
  const objects = assignments.map(({ column }) => `${table}.${column}`);
  switch (place) {
    case 'live':
      return finding('backfill-live', {
        grade,
        title: `the live colour has what ${name} fills`,
        objects,
        reason:
          'Filled on the candidate alone, the rows would differ from those of the live colour, which sends its own ' +
          'with the next change. Run it on the live colour, in batches: replication carries it.',
        fix: `Run \`verdigris backfill --live --name ${name}\`.`,
      });
    case 'mixed':
      return finding('backfill-mixed', {
        title: `${name} fills columns that the live colour has and columns that it has not`,
        objects,
        reason: 'The first are filled on the live colour, the others on the candidate.',
      });
    case 'later':
      return finding('backfill-target', {
        title: `${name} fills what is not there after the migrations`,
        objects,
        reason: 'It would never run.',
      });
    case 'candidate':
      return undefined;
  }
}

/**
 * Complete, and not to be read any more since a later release contracted: their files can go, and nothing else follows
 * from them.
 */
export function outlivedFindings(backfills: readonly BackfillState[]): Finding[] {
  const gone = backfills.filter(({ outlived }) => outlived !== undefined);
  if (gone.length === 0) return [];
  return [
    finding('backfill-outlived', {
      title:
        `${gone.length === 1 ? 'a backfill is' : `${gone.length} backfills are`} complete and ` +
        `${gone.length === 1 ? 'speaks' : 'speak'} of what a later release took away`,
      objects: gone.map(({ backfill: { name }, outlived }) => `${name}: ${outlived ?? ''}`),
      reason: 'It no longer runs, and its rows are not checked for drift.',
      fix: `Remove ${gone.length === 1 ? 'its file' : 'their files'}: ${gone.map(({ backfill: { path } }) => path).join(', ')}.`,
    }),
  ];
}

/**
 * Backfills that are not complete, have lost their file, or whose rows drifted since. `grade` is for what is not
 * complete: it warns before the proof and refuses where readers or writers are to use what is filled. `drift` counts
 * rows, which reads tables.
 */
export async function backfillFindings(c: Context, grade: 'refuse' | 'warn', drift: boolean): Promise<Finding[]> {
  const { backfills, orphans } = await readBackfillStates(c);
  const findings: Finding[] = [];
  for (const state of backfills) {
    const { backfill, place, progress, done } = state;
    const { name } = backfill;
    if (state.outlived !== undefined) continue;
    if (place === 'mixed' || place === 'later')
      findings.push(...[placeFinding(backfill, place, grade)].filter((finding) => finding !== undefined));
    else if (!done) {
      const changed = progress !== undefined && progress.checksum !== backfill.checksum;
      const unfinished = progress ? `is not complete: ${progress.seen} rows so far` : 'has not run';
      findings.push(
        finding('backfill-unfinished', {
          grade,
          title: `${name} ${changed ? 'was changed since it ran' : unfinished}`,
          objects: backfill.assignments.map(({ column }) => `${backfill.table}.${column}`),
          reason: 'The next release would read columns that are not filled.',
          fix: `Run \`verdigris backfill${place === 'live' ? ' --live' : ''} --name ${name}\`.`,
        }),
      );
    } else if (drift) findings.push(...(await drifted(c, state)));
  }
  for (const { name, seen } of orphans) {
    findings.push(
      finding('backfill-orphaned', {
        grade,
        title: `${name} was begun and is not complete (${seen} rows so far), and its file is gone`,
        objects: [name],
        reason: 'What is still to be filled is not known.',
        fix: `Restore the file and run \`verdigris backfill\`; or, if it is no longer wanted, \`verdigris backfill --forget ${name}\`.`,
      }),
    );
  }
  return findings;
}

async function drifted(c: Context, { backfill, place }: BackfillState): Promise<Finding[]> {
  const count = await c.on(place === 'candidate' ? c.idle : c.live, async (client) =>
    rowsInNeed(client, await planBackfill(client, backfill), most, countLimit),
  );
  if (count === 0) return [];
  const objects = backfill.assignments.map(({ column }) => `${backfill.table}.${column}`);
  const fix = `Run \`verdigris backfill --again${place === 'live' ? ' --live' : ''} --name ${backfill.name}\`.`;
  if (count === undefined)
    return [
      finding('backfill-drift-unknown', {
        title: `whether rows of ${backfill.name} drifted could not be found out within ${countLimit / 1000} s`,
        objects,
        reason: 'Its condition needs a long look at the table.',
        fix: `${fix} Or make an index that serves \`where\`.`,
      }),
    ];
  return [
    finding('backfill-drifted', {
      // On the live colour the live release writes such rows until it is gone: nobody could ever pass.
      grade: place === 'candidate' ? 'refuse' : 'warn',
      title: `${count === most ? `${most} rows or more` : `${count} rows`} of ${backfill.table} need ${backfill.name} again`,
      objects,
      reason: 'They were written after it was complete, and no trigger filled them.',
      fix,
    }),
  ];
}
