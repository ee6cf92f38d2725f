import type { Release } from '../../model/journal.ts';
import { finding, type Finding } from '../../model/finding.ts';
import { serverIdentity } from '../../postgres/server-identity.ts';
import { readSubscription } from '../../postgres/stream.ts';
import type { Context } from '../engine/context.ts';
import { release, stream } from '../engine/release-record.ts';
import { compareAgain, keepPartitions, rewrittenFinding, rewrittenPartitions } from './partitions.ts';

type Proof = NonNullable<NonNullable<Release['verification']>['proof']>;

/** Under what a comparison is good: taken before it begins, so that what changes meanwhile counts as after it. */
export async function beginProof(c: Context): Promise<Proof> {
  await keepPartitions(c, c.live);
  return circumstances(c);
}

async function circumstances(c: Context): Promise<Proof> {
  const startTimes: Proof['startTimes'] = {};
  for (const colour of [c.live, c.idle]) startTimes[colour] = (await c.on(colour, serverIdentity)).startTime;
  const { name, to } = stream(c);
  return { startTimes, errors: (await c.on(to, (client) => readSubscription(client, name)))?.errors ?? 0 };
}

/** What makes the last comparison worth less than it was, or nothing. */
export async function proofFindings(c: Context): Promise<Finding[]> {
  const { verification } = release(c);
  if (!verification) return [];
  const findings: Finding[] = [];
  if (verification.mode !== 'complete')
    findings.push(
      finding('verified-partly', {
        title: `the comparison of ${verification.at} was ${verification.mode}: not every row was compared`,
        objects: [],
        reason: 'What was not compared was not proved.',
      }),
    );
  if (verification.proof) findings.push(...(await aged(c, verification.at, verification.proof)));
  return findings;
}

async function aged(c: Context, at: string, proof: Proof): Promise<Finding[]> {
  const now = await circumstances(c);
  const since = [
    ...[c.live, c.idle]
      .filter((colour) => now.startTimes[colour] !== proof.startTimes[colour])
      .map((colour) => `${colour} restarted`),
    ...(now.errors > proof.errors ? [`apply met ${now.errors - proof.errors} errors`] : []),
  ];
  const findings: Finding[] = [
    finding('proof-void', {
      title: `the comparison of ${at} is from before: ${since.join(', ')}`,
      objects: since,
      reason: 'Replication went on behind it as it should, and that was not compared.',
    }),
    ...rewrittenFinding(await rewrittenPartitions(c), `the comparison of ${at}`, compareAgain),
  ];
  return findings.filter(({ objects }) => objects.length > 0);
}
