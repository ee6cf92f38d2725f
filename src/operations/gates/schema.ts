import type { Colour } from '../../model/colours.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { Finding } from '../../model/finding.ts';
import { rows, withTransaction, type Client } from '../../postgres/client.ts';
import {
  describeSchemaDifference,
  diffSchema,
  digestSchema,
  readSchema,
  type SchemaObject,
} from '../../postgres/fingerprint/index.ts';
import type { Context } from '../engine/context.ts';
import { streamFindings } from './health.ts';
import { release } from '../engine/release-record.ts';

/** Digest of a colour's schema; `keep` also stores its objects there, so that a later drift can be named and not only noticed. */
export async function schemaDigest(c: Context, colour: Colour, keep: boolean): Promise<string> {
  return c.on(colour, async (client) => {
    const objects = await readSchema(client);
    if (keep) await storeSchema(client, objects);
    return digestSchema(objects);
  });
}

/** Whether replication is whole and both schemas are as recorded. What is down is said first: nothing else can be asked of it. */
export async function replicationFindings(
  c: Context,
  options: Parameters<typeof streamFindings>[1] = {},
): Promise<Finding[]> {
  const findings = await streamFindings(c, options);
  return findings.some(({ grade }) => grade === 'refuse') ? findings : [...findings, ...(await driftFindings(c))];
}

/** A finding for every colour whose schema is not what the journal says it was. */
export async function driftFindings(c: Context): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const colour of [c.live, c.idle]) {
    const expected = release(c).schema[colour];
    if (expected === undefined) continue;
    const differences = await c.on(colour, (client) => drift(client, expected));
    if (differences.length === 0) continue;
    findings.push({
      id: 'schema-drift',
      grade: 'refuse',
      title: `the schema of ${colour} changed since ${colour === c.live ? 'the candidate was seeded' : 'the migrations ran'}`,
      objects: differences,
      reason: 'DDL is not replicated: the two colours no longer fit together as the release was planned.',
      fix:
        colour === c.live
          ? 'Undo the change on the live colour, or abandon the candidate and seed again.'
          : 'Undo the change on the candidate, or abandon it and seed again.',
    });
  }
  return findings;
}

/** Throws where a colour's schema has another digest than expected. */
export async function requireSameSchema(c: Context, colour: Colour, expected: string | undefined): Promise<void> {
  if (expected === undefined) return;
  const differences = await c.on(colour, (client) => drift(client, expected));
  if (differences.length === 0) return;
  throw new VerdigrisError('schema-drift', {
    seen: `The schema changed while ${colour} was being made: ${differences.join('; ')}.`,
    required: 'no DDL on the live database until the candidate is seeded.',
    next: 'stop what changes the schema, then seed again.',
    facts: { differences },
  });
}

/** Differences between a colour's schema now and the objects stored there, one line each; none where the digest still fits. */
async function drift(client: Client, expected: string): Promise<string[]> {
  const now = await readSchema(client);
  if (digestSchema(now) === expected) return [];
  const before = await rows<SchemaObject>(client, 'SELECT kind, identity, definition FROM verdigris.schema_object');
  const named = diffSchema(before, now).map((difference) => describeSchemaDifference(difference));
  return named.length > 0 ? named : ['the schema has another digest than the journal recorded'];
}

async function storeSchema(client: Client, objects: readonly SchemaObject[]): Promise<void> {
  await withTransaction(client, async () => {
    await client.query('DELETE FROM verdigris.schema_object');
    await client.query(
      'INSERT INTO verdigris.schema_object SELECT kind, identity, definition FROM json_to_recordset($1) AS o(kind text, identity text, definition text)',
      [JSON.stringify(objects)],
    );
  });
}
