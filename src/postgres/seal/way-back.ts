import type { SchemaDifference, SchemaKind, SchemaObject } from '../fingerprint/index.ts';

/** No row fits or does not fit for these, and no right comes from them. */
const aside: ReadonlySet<SchemaKind> = new Set(['index', 'statistics', 'comment', 'label']);

/** Rows are kept by these, or carried by them: made alike on both colours they are still not in replication. */
const ofRows: ReadonlySet<SchemaKind> = new Set([
  'table',
  'column',
  'constraint',
  'sequence',
  'identity',
  'publication',
]);

/**
 * Whether replication back to `there` works without this difference and a rollback undoes nothing by it: an index, or
 * what is there as well.
 */
export function unneeded(difference: SchemaDifference, there: readonly SchemaObject[]): boolean {
  const { kind, identity, after } = difference;
  if (aside.has(kind)) return true;
  if (ofRows.has(kind)) return false;
  return there.find((object) => object.kind === kind && object.identity === identity)?.definition === after;
}

/** Whether it concerns a table that only one of the two has: nothing of it is replicated. */
export function onOneSide(
  { identity }: SchemaDifference,
  here: readonly SchemaObject[],
  there: readonly SchemaObject[],
): boolean {
  const tables = (objects: readonly SchemaObject[]) =>
    new Set(objects.filter(({ kind }) => kind === 'table').map((table) => table.identity));
  const [mine, others] = [tables(here), tables(there)];
  const alone = [...mine].filter((table) => !others.has(table)).concat([...others].filter((table) => !mine.has(table)));
  return alone.some(
    (table) =>
      identity === table ||
      identity === `table ${table}` ||
      identity.startsWith(`${table}.`) ||
      identity.endsWith(` on ${table}`) ||
      [...here, ...there].some(
        (object) =>
          object.kind === 'sequence' &&
          object.identity === identity &&
          object.definition.includes(`owned by ${table}.`),
      ),
  );
}
