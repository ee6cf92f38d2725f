import { count } from '../../model/count.ts';
import { finding, type Finding } from '../../model/finding.ts';
import type { Stream } from '../../model/journal.ts';
import type { Context } from '../engine/context.ts';
import { stream } from '../engine/release-record.ts';
import { happened, readCircumstances, writeStanding } from './circumstances.ts';
import { compareRows } from './compare-rows.ts';
import { asStatements, differingSince, proofWitness, witnessed } from './witness.ts';

/** Milliseconds for a comparison that somebody may wait for, because something is wrong already. */
export const urgentBudget = 60_000;

/**
 * What the retained colour lacks, or has beside it, though replication the other way works: storage of one of the two was
 * put back to an earlier state, or somebody wrote there.
 */
export async function retainedFindings(c: Context): Promise<Finding[]> {
  return [...(await restartedFindings(c)), ...(await retainedWritten(c))];
}

/**
 * A server whose storage went back goes on at the position that was confirmed last: what lies between is never sent
 * again, nor taken again by one that was ahead. It cannot go back while it runs; what restarted is compared. So it is
 * after replication was interrupted, when somebody can move its slot. What was found equal is not compared once more.
 */
async function restartedFindings(c: Context): Promise<Finding[]> {
  const before = stood(c);
  const now = await readCircumstances(c);
  const { restarted, interrupted } = happened(before, now);
  const { left = [] } = before;
  if (restarted.length === 0 && !interrupted && left.length === 0) return [];
  const what = [
    ...restarted.map((colour) => `${colour} restarted at ${String(now.startTimes[colour])}`),
    ...(interrupted ? [`replication to ${c.idle} was interrupted`] : []),
  ];
  const again = what.length > 0 ? undefined : new Set(left);
  const why = again
    ? `of ${count(again.size, 'table')} it is not known`
    : `${what.join(', and ')}, after the writes moved`;
  if (c.looking)
    return [
      finding('retained-unproved', {
        title: why,
        objects: [],
        reason: 'Whether it has all that was sent, and its storage is still what it was, is not known.',
        fix: `Nothing: \`rollback\` compares all rows before it begins, for ${urgentBudget / 1000} s at most.`,
      }),
    ];
  const { findings, unproved } = await compareAgain(c, why, urgentBudget, again && ((table) => again.has(table)));
  await writeStanding(c, now, unproved);
  return findings;
}

/** As nothing was missing last; of a journal that an older Verdigris wrote, what that knew. */
function stood(c: Context): NonNullable<Stream['standing']> {
  const live = c.journal.release?.verification?.proof?.startTimes[c.live];
  const idle = c.whole.journal.stream?.startTime;
  const { standing } = stream(c);
  const startTimes = {
    ...(live === undefined ? {} : { [c.live]: live }),
    ...(idle === undefined ? {} : { [c.idle]: idle }),
    ...standing?.startTimes,
  };
  return { errors: 0, ...standing, startTimes };
}

interface ComparedAgain {
  readonly findings: Finding[];
  /** Tables whose rows differ, or were not all looked at. */
  readonly unproved: readonly string[];
}

/** Compares all rows, or those of the tables that are `wanted`, as far as `budget` milliseconds reach. */
export async function compareAgain(
  c: Context,
  why: string,
  budget?: number,
  wanted?: (table: string) => boolean,
): Promise<ComparedAgain> {
  c.emit({
    type: 'note',
    text: `${why}: ${wanted ? 'their' : 'all'} rows are compared, in case storage was put back, or replication passed some over`,
  });
  const { mode, tables, unchecked } = await compareRows(c, budget === undefined ? {} : { budget }, wanted);
  const wrong = tables.filter(({ differences, unexaminedChunks }) => differences.length + unexaminedChunks > 0);
  const unproved = tables.filter(
    (each) => wrong.includes(each) || each.unsettled > 0 || each.checkedChunks < each.chunks,
  );
  const back = c.journal.state === 'switched';
  const findings: Finding[] = [
    finding('rows-differ', {
      title: `rows of ${c.idle} are not those of ${c.live}: ${why}`,
      objects: wrong.map(({ table }) => table),
      reason:
        'Storage was put back to an earlier state, somebody moved the slot, or wrote there: replication sends nothing again.',
      fix: back
        ? `Bring the rows of both together, by psql as verdigris_operator, and run the same command again; or ` +
          '`verdigris rollback --lossy`, which exports what the retained colour lacks, and `verdigris import-lost`.'
        : `Where ${c.idle} has rows that ${c.live} lost, keep them first. Then abandon the candidate and seed again.`,
    }),
    finding(back ? 'retained-unproved' : 'proof-void', {
      title: `${why}; not all rows were compared in ${(budget ?? 0) / 1000} s`,
      objects: mode === 'complete' ? [] : unchecked,
      reason: `What was not compared may be missing on ${c.idle}, which clients go to.`,
      fix: back
        ? 'Nothing, where storage is what it was.'
        : 'Run `verdigris verify` again, where storage may have been put back.',
    }),
  ];
  return {
    findings: findings.filter(({ objects }) => objects.length > 0),
    unproved: unproved.map(({ table }) => table),
  };
}

/** Rows that somebody wrote on the retained colour since the writes moved away from it, where they differ. */
export async function retainedWritten(c: Context): Promise<Finding[]> {
  const { witness } = stream(c);
  // A superuser alone can read the log.
  if (witness === undefined || c.looking) return [];
  const name = proofWitness(stream(c));
  const seen = await witnessed(c, name, witness);
  if (!seen)
    return [
      finding('retained-unproved', {
        title: `whether somebody wrote on ${c.idle} since the writes moved away from it is not known: its log was not kept`,
        objects: [],
        reason: 'The slot that keeps it is gone, had no room, or fell behind by more than limits.retainedWal.',
        fix: 'Nothing, where nobody did.',
      }),
    ];
  const wrong = await differingSince(c, name, seen);
  if (wrong.length === 0) return [];
  return [
    finding('retained-written', {
      title: `somebody wrote on ${c.idle} since the writes moved away from it`,
      objects: wrong.flatMap(asStatements),
      reason: 'Its rows differ from those of the live colour: after a rollback they would be what clients see.',
      fix: `Undo it on ${c.idle}, by psql as verdigris_operator, and run the same command again.`,
    }),
  ];
}
