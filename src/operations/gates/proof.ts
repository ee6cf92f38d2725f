import { when } from '../../model/when.ts';
import type { Circumstances } from '../../model/circumstances.ts';
import { finding, type Finding } from '../../model/finding.ts';
import type { SchemaObject } from '../../postgres/fingerprint/index.ts';
import { readRewrites } from '../../postgres/seal/objects.ts';
import { unpublish } from '../../postgres/stream/publication.ts';
import type { Context } from '../engine/context.ts';
import { note, release, stream } from '../engine/release-record.ts';
import { happened, readCircumstances } from './circumstances.ts';
import { compareAgain, urgentBudget } from './put-back.ts';
import { otherRowsFindings } from './rewritten.ts';
import { asStatements, beginWitness, differingSince, proofWitness, witnessed } from './witness.ts';

/**
 * Under what a comparison is good, and what tells later whether tables were rewritten since: taken before it begins, so
 * that what changes meanwhile counts as after it.
 */
export async function beginProof(c: Context): Promise<{ proof: Circumstances; rewrites: readonly SchemaObject[] }> {
  const rewrites = await c.on(c.live, readRewrites);
  await dropProof(c);
  await beginWitness(c, proofWitness(stream(c)));
  return { proof: await readCircumstances(c), rewrites };
}

/** What `beginProof` made; an earlier proof is void then, as its log is gone. */
export async function dropProof(c: Context): Promise<void> {
  await c.ifRunning(c.idle, (client) => unpublish(client, proofWitness(stream(c))));
}

/**
 * What somebody wrote on the candidate since it was compared: only a superuser of ours can. Where the rows of these
 * tables are equal all the same (a backfill fills columns that are new) it is no finding.
 */
export async function writtenFindings(c: Context): Promise<Finding[]> {
  const name = proofWitness(stream(c));
  const seen = await witnessed(c, name);
  if (!seen)
    return [
      finding('proof-void', {
        title: `whether somebody wrote on ${c.idle} since the comparison is not known: its log was not kept`,
        objects: [],
        reason: 'The slot that keeps it is gone, or fell behind by more than limits.retainedWal.',
      }),
    ];
  const title = `somebody wrote on ${c.idle} since the comparison`;
  if (c.looking)
    return [
      finding('proof-void', {
        title,
        objects: seen.changes.flatMap(asStatements),
        reason: '`switch` compares these tables again before it begins.',
      }),
    ].filter(({ objects }) => objects.length > 0);
  const wrong = await differingSince(c, name, seen);
  if (wrong.length === 0) return [];
  return [
    finding('candidate-written', {
      title,
      objects: wrong.flatMap(asStatements),
      reason: 'Its rows differ from those of the live colour: after the switchover they would be what clients see.',
      fix: `Undo it on ${c.idle}, by psql as verdigris_operator, or abandon the candidate and seed again.`,
    }),
  ];
}

/** What makes the last comparison worth less than it was, or nothing. */
export async function proofFindings(c: Context): Promise<Finding[]> {
  const { verification } = release(c);
  if (!verification) return [];
  const findings: Finding[] = [];
  if (verification.mode !== 'complete')
    findings.push(
      finding('verified-partly', {
        title: `the comparison of ${when(verification.at)} was ${verification.mode}: not every row was compared`,
        objects: [],
        reason: 'What was not compared may differ.',
      }),
    );
  findings.push(...(await ageFindings(c)));
  const since =
    verification.mode === 'complete'
      ? `the comparison of ${when(verification.at)}`
      : 'all rows were copied or compared';
  findings.push(...(await otherRowsFindings(c, since)));
  return findings;
}

/**
 * A server that restarted may have the storage of an earlier state, whose rows nobody sends again; while replication was
 * interrupted somebody may have moved its slot past rows, and nothing tells. Where all rows were compared they are once
 * more. A live colour that crashed must not wait long for that.
 */
async function ageFindings(c: Context): Promise<Finding[]> {
  const { verification } = release(c);
  if (!verification?.proof) return [];
  const { at, mode, proof } = verification;
  const now = await readCircumstances(c);
  const { restarted, interrupted } = happened(proof, now);
  if (restarted.length === 0 && !interrupted) return [];
  if (mode !== 'complete' || c.looking)
    return [
      finding('proof-void', {
        title: `the comparison of ${when(at)} is from before`,
        objects: [
          ...restarted.map((colour) => `${colour} restarted`),
          ...(interrupted ? [`replication to ${c.idle} was interrupted`] : []),
        ],
        reason: 'Replication continued afterwards as it should, but that was not compared.',
      }),
    ];
  const what = restarted.length === 0 ? 'replication was interrupted' : `${restarted.join(' and ')} restarted`;
  const why = `${what} since the comparison of ${at}`;
  const { findings } = await compareAgain(c, why, restarted.includes(c.idle) ? undefined : urgentBudget);
  if (findings.length > 0) return findings;
  await note(c, { verification: { ...verification, at: new Date().toISOString(), proof: now } });
  return [];
}
