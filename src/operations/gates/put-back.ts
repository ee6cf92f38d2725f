import { finding, type Finding } from '../../model/finding.ts';
import { serverIdentity } from '../../postgres/server-identity.ts';
import type { Context } from '../engine/context.ts';
import { stream } from '../engine/release-record.ts';
import { compareRows } from './compare-rows.ts';
import { asStatements, differingSince, proofWitness, witnessed } from './witness.ts';

/** Milliseconds that a rollback spends on a comparison: it is wanted because something is wrong already. */
const rollbackBudget = 60_000;

/**
 * What the retained colour lacks, or has beside it, though replication the other way works: its storage was put back to
 * an earlier state, or somebody wrote there.
 */
export async function retainedFindings(c: Context): Promise<Finding[]> {
  return [...(await restartedFindings(c)), ...(await retainedWritten(c))];
}

/**
 * A server whose storage went back goes on at the position that was confirmed last: what lies between is never sent
 * again. It cannot go back while it runs; what restarted is compared.
 */
async function restartedFindings(c: Context): Promise<Finding[]> {
  const known = c.whole.journal.stream?.startTime;
  const { startTime } = await c.on(c.idle, serverIdentity);
  if (known === undefined || known === startTime) return [];
  const why = `${c.idle} restarted at ${startTime}, after the writes moved away from it`;
  if (c.looking)
    return [
      finding('retained-unproved', {
        title: why,
        objects: [],
        reason: 'Whether its storage is still what it was is not known.',
        fix: `Nothing: \`rollback\` compares its rows before it begins, for ${rollbackBudget / 1000} s at most.`,
      }),
    ];
  return differingFindings(c, why, rollbackBudget);
}

/** Compares all rows, as far as `budget` milliseconds reach. */
export async function differingFindings(c: Context, why: string, budget?: number): Promise<Finding[]> {
  c.emit({ type: 'note', text: `${why}: its rows are compared, in case its storage was put back` });
  const { mode, tables, unchecked } = await compareRows(c, budget === undefined ? {} : { budget });
  const wrong = tables.filter(({ differences, unexaminedChunks }) => differences.length + unexaminedChunks > 0);
  const findings: Finding[] = [
    finding('rows-differ', {
      title: `rows of ${c.idle} are not those of ${c.live}: ${why}`,
      objects: wrong.map(({ table }) => table),
      reason: 'Its storage was put back to an earlier state, or somebody wrote there: replication sends nothing again.',
      fix:
        c.journal.state === 'switched'
          ? `Bring the rows to ${c.idle}, by psql as verdigris_operator, and run the same command again; or ` +
            '`verdigris rollback --lossy`, which exports what that colour lacks, and `verdigris import-lost`.'
          : 'Abandon the candidate and seed again. The live colour is untouched.',
    }),
    finding('retained-unproved', {
      title: `${why}; not all rows were compared in ${(budget ?? 0) / 1000} s`,
      objects: mode === 'complete' ? [] : unchecked,
      reason: 'What was not compared may be missing on the colour that clients go back to.',
      fix: 'Nothing, where its storage is the one that it had.',
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
        reason: 'The slot that keeps it is gone, or fell behind by more than limits.retainedWal.',
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
