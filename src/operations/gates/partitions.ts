import { isDeepStrictEqual } from 'node:util';
import type { Colour } from '../../model/colours.ts';
import { finding, type Finding } from '../../model/finding.ts';
import { rows } from '../../postgres/client.ts';
import {
  describeSchemaDifference,
  diffSchema,
  type SchemaDifference,
  type SchemaObject,
} from '../../postgres/fingerprint/index.ts';
import { readLeaves, readPartitions } from '../../postgres/seal/objects.ts';
import type { Context } from '../engine/context.ts';
import { compareRows } from './compare-rows.ts';
import { storeObjects } from './schema.ts';

/** Keeps in a colour's own database in which file each of its partitions is, as read by the caller or now. */
export async function keepPartitions(c: Context, colour: Colour, read?: readonly SchemaObject[]): Promise<void> {
  await c.on(colour, async (client) => storeObjects(client, ['partition'], read ?? (await readPartitions(client))));
}

/**
 * Partitions of the live colour that were truncated or rewritten since their files were kept there: by the comparison,
 * and by the switchover that made the colour live. A partitioned table is published by its root, which does not carry
 * TRUNCATE of one partition.
 * `read`: as they are, where they were read already.
 */
export async function rewrittenPartitions(c: Context, read?: readonly SchemaObject[]): Promise<SchemaDifference[]> {
  const kept = "SELECT kind, identity, definition FROM verdigris.schema_object WHERE kind = 'partition'";
  return c.on(c.live, async (client) =>
    diffSchema(await rows<SchemaObject>(client, kept), read ?? (await readPartitions(client))).filter(
      ({ change }) => change === 'changed',
    ),
  );
}

export const compareAgain =
  'Run `verdigris verify` again: where it was VACUUM FULL or the like, the rows are equal. Where it finds rows that are on the ' +
  'candidate alone, seed again.';

/** A finding where partitions were emptied behind replication's back. */
export function rewrittenFinding(rewritten: readonly SchemaDifference[], since: string, fix: string): Finding[] {
  if (rewritten.length === 0) return [];
  return [
    finding('partition-rewritten', {
      title: `partitions were truncated or rewritten since ${since}`,
      objects: rewritten.map(describeSchemaDifference),
      reason:
        'A partitioned table is published by its root, which does not carry TRUNCATE of one partition: its rows would be there again.',
      fix,
    }),
  ];
}

/**
 * For the way back, which no comparison precedes: what was rewritten is compared here. Equal rows (VACUUM FULL) are no
 * finding.
 */
export async function wayBackPartitions(c: Context): Promise<Finding[]> {
  const rewritten = await rewrittenPartitions(c);
  if (rewritten.length === 0) return [];
  if (!c.looking && (await equalRows(c, rewritten))) return [];
  const tables = rewritten.map(({ identity }) => identity).join(', ');
  return rewrittenFinding(
    rewritten,
    'the switchover',
    `Where they were truncated, empty them on ${c.idle} as well, by psql as verdigris_operator: TRUNCATE ${tables}; ` +
      'then the same command again: it compares their rows on both colours before it begins.',
  );
}

/** Of a partition that has the same place on both colours its own rows are compared, else those of its whole table. */
async function equalRows(c: Context, rewritten: readonly SchemaDifference[]): Promise<boolean> {
  const before = await c.on(c.live, readPartitions);
  const names = rewritten.map(({ identity }) => identity);
  const here = await c.on(c.live, (client) => readLeaves(client, names));
  const there = await c.on(c.idle, (client) => readLeaves(client, names));
  const alike = here.filter((leaf) => there.some((other) => isDeepStrictEqual(leaf, other)));
  const wanted = new Set(here.map((leaf) => (alike.includes(leaf) ? leaf.name : leaf.root)));
  const { equal, tables } = await compareRows(
    c,
    {},
    (table) => wanted.has(table),
    alike.map(({ identity }) => identity),
  );
  if (tables.length < wanted.size || wanted.size === 0) return false;
  if (equal) await keepPartitions(c, c.live, before);
  return equal;
}
