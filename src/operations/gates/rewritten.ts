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
import { readLeaves, readRewrites, rewriteKinds } from '../../postgres/seal/objects.ts';
import type { Context } from '../engine/context.ts';
import { compareRows } from './compare-rows.ts';
import { storeObjects } from './schema.ts';

/** Keeps in a colour's own database what tells whether its tables are rewritten later, as read by the caller or now. */
export async function keepRewrites(c: Context, colour: Colour, read?: readonly SchemaObject[]): Promise<void> {
  await c.on(colour, async (client) => storeObjects(client, rewriteKinds, read ?? (await readRewrites(client))));
}

/**
 * Partitions and columns of the live colour that were rewritten, and publications of ours that were altered, since that
 * was kept there: by the seed, by a comparison of all rows, by the switchover that made the colour live, and by the gate
 * that found their rows equal. `read`: as they are, where they were read already.
 */
export async function rewritten(c: Context, read?: readonly SchemaObject[]): Promise<SchemaDifference[]> {
  const kept = 'SELECT kind, identity, definition FROM verdigris.schema_object WHERE kind = ANY ($1)';
  return c.on(c.live, async (client) =>
    diffSchema(await rows<SchemaObject>(client, kept, [rewriteKinds]), read ?? (await readRewrites(client))).filter(
      ({ change }) => change === 'changed',
    ),
  );
}

/** Findings of these, whose rows differ or were not looked at. */
export function rewrittenFindings(
  differences: readonly SchemaDifference[],
  since: string,
  fix: (names: string) => string,
): Finding[] {
  const of = (wanted: SchemaDifference['kind']) => differences.filter(({ kind }) => kind === wanted);
  const [partitions, columns, sent] = [of('partition'), of('columns of'), of('publication of')];
  const names = (some: readonly SchemaDifference[]) => some.map(({ identity }) => identity).join(', ');
  return [
    finding('partition-rewritten', {
      title: `partitions were truncated or rewritten since ${since}`,
      objects: partitions.map(describeSchemaDifference),
      reason:
        'A partitioned table is published by its root, which does not carry TRUNCATE of one partition: its rows would come back.',
      fix: fix(`TRUNCATE ${names(partitions)}`),
    }),
    finding('columns-rewritten', {
      title: `columns were altered since ${since}`,
      objects: columns.map(describeSchemaDifference),
      reason:
        'ALTER TABLE is not replicated: it rewrote rows, recreated a column or swapped names, although the schema looks the same.',
      fix: fix(`the same ALTER TABLE of ${names(columns)}`),
    }),
    finding('publication-altered', {
      title: `the publication of tables was altered since ${since}`,
      objects: sent.map(describeSchemaDifference),
      reason: 'While it was another, not everything that was written to them was sent.',
      fix: fix(`the INSERT, UPDATE and DELETE of ${names(sent)} that were not sent`),
    }),
  ].filter(({ objects }) => objects.length > 0);
}

/**
 * What was rewritten since the comparison, or on the way back since the switchover, is compared here. Equal rows (VACUUM
 * FULL, a change that was undone) are no finding; who only looks compares nothing.
 */
export async function otherRowsFindings(c: Context, since: string): Promise<Finding[]> {
  const found = await rewritten(c);
  const left = c.looking ? found : await withOtherRows(c, found);
  const again = c.journal.state === 'switched' ? '' : ' Or abandon the candidate and seed again.';
  return rewrittenFindings(
    left,
    since,
    (statement) =>
      `Run it on ${c.idle} as well, by psql as verdigris_operator: ${statement}; then the same command again: it ` +
      `compares their rows on both colours before it begins.${again}`,
  );
}

/**
 * Those whose rows differ, or were not all looked at within `budget` milliseconds. Of a partition that has the same
 * place on both colours its own rows are compared, else those of its whole table.
 */
export async function withOtherRows(
  c: Context,
  found: readonly SchemaDifference[],
  budget?: number,
): Promise<readonly SchemaDifference[]> {
  if (found.length === 0) return found;
  const before = await c.on(c.live, readRewrites);
  const names = found.map(({ identity }) => identity);
  const here = await c.on(c.live, (client) => readLeaves(client, names));
  const there = await c.on(c.idle, (client) => readLeaves(client, names));
  const alike = here.filter((leaf) => leaf.bound !== null && there.some((other) => isDeepStrictEqual(leaf, other)));
  const wanted = new Map(here.map((leaf) => [leaf.identity, alike.includes(leaf) ? leaf.name : leaf.root]));
  const compared = new Set(wanted.values());
  const { tables } = await compareRows(
    c,
    { budget },
    (table) => compared.has(table),
    alike.map(({ identity }) => identity),
  );
  const equal = new Set(
    tables.flatMap(({ table, differences, unsettled, unexaminedChunks }) =>
      differences.length + unsettled + unexaminedChunks === 0 ? [table] : [],
    ),
  );
  const left = found.filter(({ identity }) => !equal.has(wanted.get(identity) ?? ''));
  if (left.length === 0) await keepRewrites(c, c.live, before);
  return left;
}
