import type { Colour } from '../../model/colours.ts';
import { finding, type Finding } from '../../model/finding.ts';
import { serverIdentity } from '../../postgres/server-identity.ts';
import type { Context } from '../engine/context.ts';
import { readSubscription } from '../../postgres/stream/subscription.ts';
import { stream } from '../engine/release-record.ts';
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
 * after replication was interrupted, when somebody can move its slot.
 */
async function restartedFindings(c: Context): Promise<Finding[]> {
  const known: Partial<Record<Colour, string | undefined>> = {
    [c.live]: c.journal.release?.verification?.proof?.startTimes[c.live],
    [c.idle]: c.whole.journal.stream?.startTime,
  };
  const restarted: string[] = [];
  for (const colour of [c.live, c.idle]) {
    const { startTime } = await c.on(colour, serverIdentity);
    if (known[colour] !== undefined && known[colour] !== startTime)
      restarted.push(`${colour} restarted at ${startTime}`);
  }
  const { name, to } = stream(c);
  const errors = (await c.on(to, (client) => readSubscription(client, name)))?.errors ?? 0;
  if (errors > 0) restarted.push(`replication to ${to} was interrupted`);
  if (restarted.length === 0) return [];
  const why = `${restarted.join(', and ')}, after the writes moved`;
  if (c.looking)
    return [
      finding('retained-unproved', {
        title: why,
        objects: [],
        reason: 'Whether it has all that was sent, and its storage is still what it was, is not known.',
        fix: `Nothing: \`rollback\` compares all rows before it begins, for ${urgentBudget / 1000} s at most.`,
      }),
    ];
  return differingFindings(c, why, urgentBudget);
}

/** Compares all rows, as far as `budget` milliseconds reach. */
export async function differingFindings(c: Context, why: string, budget?: number): Promise<Finding[]> {
  c.emit({
    type: 'note',
    text: `${why}: all rows are compared, in case storage was put back, or replication passed some over`,
  });
  const { mode, tables, unchecked } = await compareRows(c, budget === undefined ? {} : { budget });
  const wrong = tables.filter(({ differences, unexaminedChunks }) => differences.length + unexaminedChunks > 0);
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
  return findings.filter(({ objects }) => objects.length > 0);
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
