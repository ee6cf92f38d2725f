import type { Colour } from '../../model/colours.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { finding, type Finding } from '../../model/finding.ts';
import { other } from '../../model/colours.ts';
import { rows, withTransaction, type Client } from '../../postgres/client.ts';
import {
  describeSchemaDifference,
  diffSchema,
  digestSchema,
  type SchemaDifference,
  type SchemaKind,
  type SchemaObject,
} from '../../postgres/fingerprint/index.ts';
import { readObjects, rewriteKinds } from '../../postgres/seal/objects.ts';
import { onOneSide, unneeded } from '../../postgres/seal/way-back.ts';
import type { Context } from '../engine/context.ts';
import { release } from '../engine/release-record.ts';

/**
 * Digest of a colour's schema; `keep` also stores its objects there, so that a later drift can be named and not only
 * noticed.
 */
export async function schemaDigest(c: Context, colour: Colour, keep: boolean): Promise<string> {
  return c.on(colour, async (client) => {
    const objects = await readObjects(client);
    if (keep) await storeObjects(client, 'every kind', objects);
    return digestSchema(objects);
  });
}

/**
 * Findings for every colour whose schema is not what the journal says it was. `read`: the objects, where they were read
 * already.
 */
export async function driftFindings(
  c: Context,
  read?: ReadonlyMap<Colour, readonly SchemaObject[]>,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const colour of [c.live, c.idle]) {
    const differences = await driftOf(c, colour, read?.get(colour));
    if (differences.length === 0) continue;
    findings.push(
      ...(c.journal.state === 'switched'
        ? await backFindings(c, colour, differences)
        : [forward(c, colour, differences)]),
    );
  }
  return findings;
}

/** What changed in a colour's schema since the journal wrote it down. */
export async function driftOf(c: Context, colour: Colour, read?: readonly SchemaObject[]): Promise<SchemaDifference[]> {
  const expected = release(c).schema[colour];
  return expected === undefined ? [] : c.on(colour, (client) => drift(client, expected, read));
}

function forward(c: Context, colour: Colour, differences: readonly SchemaDifference[]): Finding {
  return finding('schema-drift', {
    title: `the schema of ${colour} changed since ${colour === c.live ? 'the candidate was seeded' : 'the migrations ran'}`,
    objects: differences.map(describeSchemaDifference),
    reason: 'DDL is not replicated: the two colours no longer match the plan of the release.',
    fix:
      colour === c.live
        ? 'Undo the change on the live colour, or abandon the candidate and seed again.'
        : 'Undo the change on the candidate, or abandon it and seed again.',
  });
}

/** After the switchover: what the way back does not need may differ, and is said. */
async function backFindings(c: Context, colour: Colour, differences: readonly SchemaDifference[]): Promise<Finding[]> {
  const there = await c.on(other(colour), readObjects);
  const here = await c.on(colour, readObjects);
  const harmless = differences.filter(
    (difference) => unneeded(difference, there) || onOneSide(difference, here, there),
  );
  const refused = differences.filter((difference) => !harmless.includes(difference));
  const since = colour === c.live ? 'the writes moved there' : 'the candidate was seeded';
  const findings: Finding[] = [
    finding('schema-drift', {
      title: `the schema of ${colour} changed since ${since}`,
      objects: refused.map(describeSchemaDifference),
      reason: 'DDL is not replicated: after a rollback it would be missing, or what was removed would be back.',
      fix: `Undo the change on ${colour}; or make what does not touch a table or column on ${other(colour)} as well, by psql as verdigris_operator.`,
    }),
    finding('left-behind', {
      title: `a rollback leaves behind what was changed on ${colour} since ${since}`,
      objects: harmless.map(describeSchemaDifference),
      reason: 'Replication works without it, but the other colour does not have it.',
    }),
  ];
  return findings.filter(({ objects }) => objects.length > 0);
}

/** Throws where a colour's schema has another digest than expected. */
export async function requireSameSchema(c: Context, colour: Colour, expected: string | undefined): Promise<void> {
  if (expected === undefined) return;
  // Subscriptions of others are taken away from a copy.
  const differences = (await c.on(colour, (client) => drift(client, expected)))
    .filter(({ kind }) => kind !== 'subscription')
    .map(describeSchemaDifference);
  if (differences.length === 0) return;
  throw new VerdigrisError('schema-drift', {
    seen: `The schema changed while ${colour} was being made: ${differences.join('; ')}.`,
    required: 'no DDL on the live database until the candidate is seeded.',
    next: 'stop what changes the schema, then seed again.',
    facts: { differences },
  });
}

/** Kept for other looks than this one, in the same table. */
const aside: readonly SchemaKind[] = [...rewriteKinds, 'rows of', 'server setting', 'writes since', 'closed database'];

/** Kinds that were added to what is read of a schema. */
const younger: readonly SchemaKind[] = ['member', 'extension object'];

/** Differences between a colour's schema now and the objects stored there; none where the digest still fits. */
async function drift(client: Client, expected: string, read?: readonly SchemaObject[]): Promise<SchemaDifference[]> {
  const all = (read ?? (await readObjects(client))).filter(({ kind }) => !aside.includes(kind));
  if (digestSchema(all) === expected) return [];
  const before = await rows<SchemaObject>(
    client,
    'SELECT kind, identity, definition FROM verdigris.schema_object WHERE kind <> ALL ($1)',
    [aside],
  );
  // A release that an older version of Verdigris began has none of these.
  const unread = younger.filter((each) => !before.some(({ kind }) => kind === each));
  const now = all.filter(({ kind }) => !unread.includes(kind));
  if (digestSchema(now) === expected) return [];
  const named = diffSchema(before, now);
  return named.length > 0
    ? named
    : [{ change: 'changed', kind: 'schema', identity: 'as a whole: it has another digest than the journal recorded' }];
}

/** Puts these objects in place of those of their kinds that a colour's own database keeps. */
export async function storeObjects(
  client: Client,
  kinds: readonly SchemaKind[] | 'every kind',
  objects: readonly SchemaObject[],
): Promise<void> {
  await withTransaction(client, async () => {
    if (kinds === 'every kind') await client.query('DELETE FROM verdigris.schema_object');
    else await client.query('DELETE FROM verdigris.schema_object WHERE kind = ANY ($1)', [kinds]);
    await client.query(
      'INSERT INTO verdigris.schema_object SELECT kind, identity, definition FROM json_to_recordset($1) AS o(kind text, identity text, definition text)',
      [JSON.stringify(objects)],
    );
  });
}
