import type { Release } from '../../model/journal.ts';
import { finding, type Finding } from '../../model/finding.ts';
import { rows } from '../../postgres/client.ts';
import { describeSchemaDifference, diffSchema, type SchemaObject } from '../../postgres/fingerprint/index.ts';
import { readPartitions } from '../../postgres/seal/objects.ts';
import { serverIdentity } from '../../postgres/server-identity.ts';
import { readSubscription } from '../../postgres/stream.ts';
import type { Context } from '../engine/context.ts';
import { release, stream } from '../engine/release-record.ts';
import { storeObjects } from './schema.ts';

type Proof = NonNullable<NonNullable<Release['verification']>['proof']>;

/** Under what a comparison is good: taken before it begins, so that what changes meanwhile counts as after it. */
export async function beginProof(c: Context): Promise<Proof> {
  await c.on(c.live, async (client) => storeObjects(client, ['partition'], await readPartitions(client)));
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
  const rewritten = await c.on(c.live, async (client) =>
    diffSchema(
      await rows<SchemaObject>(
        client,
        "SELECT kind, identity, definition FROM verdigris.schema_object WHERE kind = 'partition'",
      ),
      await readPartitions(client),
    ).filter(({ change }) => change === 'changed'),
  );
  const findings: Finding[] = [
    finding('proof-void', {
      title: `the comparison of ${at} is from before: ${since.join(', ')}`,
      objects: since,
      reason: 'Replication went on behind it as it should, and that was not compared.',
    }),
    finding('partition-rewritten', {
      title: `partitions were truncated or rewritten since the comparison of ${at}`,
      objects: rewritten.map(describeSchemaDifference),
      reason:
        'A partitioned table is published by its root, which does not carry TRUNCATE of one partition: its rows would be there again.',
    }),
  ];
  return findings.filter(({ objects }) => objects.length > 0);
}
