import type { SchemaObject } from '../../postgres/fingerprint/index.ts';

const part = '(?:"(?:[^"]|"")+"|[^"\\s.]+)';
const onTable = new RegExp(`^CREATE (?:UNIQUE )?INDEX ${part} ON (?:ONLY )?(${part}\\.${part}) USING `);

/** As pg_get_indexdef() prints it: `"Shop".orders`. */
export function tableOfIndex(definition: string): string | undefined {
  return onTable.exec(definition)?.[1];
}

/** Of a column or constraint, as the catalogue prints it. */
export function relationOf(column: string): string {
  return column.replace(/\.("(?:[^"]|"")+"|[^."]+)$/, '');
}

/** The table that an object decides the rows of; undefined for what is of no table. */
function tableOf({ kind, identity, definition }: SchemaObject): string | undefined {
  if (kind === 'table') return identity;
  if (kind === 'column') return relationOf(identity);
  if (kind === 'constraint') return identity.slice(identity.lastIndexOf(' on ') + 4);
  return kind === 'index' ? tableOfIndex(definition) : undefined;
}

/**
 * Of both schemas what belongs to tables that are not the same in both. A table that stays as it is refuses nothing that
 * it took, so that of thousands only those that changed are parsed.
 */
export function tablesThatDiffer(
  one: readonly SchemaObject[],
  two: readonly SchemaObject[],
): [SchemaObject[], SchemaObject[]] {
  const [before, after] = [byTable(one), byTable(two)];
  const differs = ([table, objects]: [string, readonly SchemaObject[]], there: typeof before): boolean =>
    printed(objects) !== printed(there.get(table) ?? []);
  return [
    [...before].flatMap((each) => (differs(each, after) ? each[1] : [])),
    [...after].flatMap((each) => (differs(each, before) ? each[1] : [])),
  ];
}

function byTable(schema: readonly SchemaObject[]): Map<string, SchemaObject[]> {
  const tables = new Map<string, SchemaObject[]>();
  for (const object of schema) {
    const table = tableOf(object);
    if (table === undefined) continue;
    const known = tables.get(table);
    if (known) known.push(object);
    else tables.set(table, [object]);
  }
  return tables;
}

function printed(objects: readonly SchemaObject[]): string {
  const texts = objects.map(({ kind, identity, definition }) => JSON.stringify([kind, identity, definition]));
  return texts.toSorted().join('\n');
}
