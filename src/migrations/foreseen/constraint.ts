import { strings, type Of } from '../lint/ast.ts';
import { constraintName } from '../lint/learn-table.ts';
import { columnsOf } from '../shapes/formula.ts';
import { changedColumn } from './printed-column.ts';
import type { ForeseenSchema } from './schema.ts';

/** `app."Order"`, as the catalogue prints it. */
export function printedName(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** A constraint that a table gets, of the text that says it; `column`: the one that it is written at. */
export function addConstraint(
  schema: ForeseenSchema,
  table: string,
  constraint: Of<'Constraint'>,
  words: string,
  column?: string,
): void {
  const given = column === undefined ? strings(constraint.keys ?? constraint.fk_attrs) : [column];
  const [, bare = ''] = /\.(.*)$/s.exec(table) ?? [];
  const name = (kind: Parameters<typeof constraintName>[1], columns = given): string =>
    constraint.conname ?? constraint.indexname ?? free(schema, table, constraintName(bare, kind, columns));
  const put = (called: string, definition: string): void =>
    schema.put({ kind: 'constraint', identity: `${printedName(called)} on ${printedTable(table)}`, definition });
  switch (constraint.contype) {
    case 'CONSTR_NOTNULL':
      return given.forEach((each) => foreseeNotNull(schema, table, each, true));
    case 'CONSTR_PRIMARY':
      // Of an index that is there, its columns are not read here.
      if (constraint.indexname !== undefined) return schema.doubt(table);
      for (const each of given) foreseeNotNull(schema, table, each, true);
      if (schema.table(table)?.replicaIdentity === 'default') schema.changeTable(table, { identity: given });
      schema.changeTable(table, { primaryKey: given });
      return uniqueIndex(schema, table, name('primary'), given, '');
    case 'CONSTR_UNIQUE':
      if (constraint.indexname !== undefined) return undefined;
      return uniqueIndex(
        schema,
        table,
        name('unique'),
        given,
        constraint.nulls_not_distinct === true ? ' NULLS NOT DISTINCT' : '',
      );
    case 'CONSTR_CHECK': {
      const text = checkIn(words);
      if (!constraint.raw_expr || text === undefined) return schema.doubt(table);
      const columns = [...new Set(columnsOf([constraint.raw_expr]))];
      return put(name('check', columns.length === 1 ? columns : []), text);
    }
    case 'CONSTR_EXCLUSION': {
      const text = /\bEXCLUDE\b.*\)/is.exec(words)?.[0];
      return text === undefined ? schema.doubt(table) : put(name('exclusion', []), text);
    }
    case 'CONSTR_FOREIGN': {
      const { schemaname, relname = '' } = constraint.pktable ?? {};
      const to = schema.findName(schemaname, relname) ?? schema.placeFor(schemaname, relname);
      const keys = strings(constraint.pk_attrs);
      const columns = keys.length > 0 ? keys : (schema.table(to)?.primaryKey ?? []);
      const list = (names: readonly string[]): string => names.map(printedName).join(', ');
      return put(name('foreign'), `FOREIGN KEY (${list(given)}) REFERENCES ${printedTable(to)}(${list(columns)})`);
    }
    default:
      return undefined;
  }
}

/** As PostgreSQL tells one from those that are there. */
export function free(schema: ForeseenSchema, table: string, name: string): string {
  const inSchema = table.replace(/\.[^.]*$/s, '');
  const taken = (one: string): boolean =>
    schema.object('constraint', `${one} on ${table}`) !== undefined ||
    schema.object('index', `${inSchema}.${one}`) !== undefined;
  if (!taken(name)) return name;
  let number = 1;
  while (taken(`${name}${number}`)) number++;
  return `${name}${number}`;
}

/** The first CHECK of a text with its expression; undefined where its end is not certain. */
export function checkIn(words: string): string | undefined {
  const start = /\bCHECK\s*\(/i.exec(words);
  if (!start || /['"$]/.test(words.slice(0, start.index))) return undefined;
  const text = words.slice(start.index);
  let depth = 0;
  for (const { 0: found, index } of text.matchAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"|[()]/g)) {
    depth += found === '(' ? 1 : found === ')' ? -1 : 0;
    if (depth === 0 && found === ')') return text.slice(0, index + 1);
  }
  return undefined;
}

export function printedTable(table: string): string {
  const [, schema = '', name = ''] = /^([^.]*)\.(.*)$/s.exec(table) ?? [];
  return `${printedName(schema)}.${printedName(name)}`;
}

function uniqueIndex(
  schema: ForeseenSchema,
  table: string,
  name: string,
  columns: readonly string[],
  end: string,
): void {
  const index = `${printedTable(table).replace(/\.("(?:[^"]|"")+"|[^."]+)$/, '')}.${printedName(name)}`;
  const list = columns.map(printedName).join(', ');
  schema.put({
    kind: 'index',
    identity: index,
    definition: `CREATE UNIQUE INDEX ${printedName(name)} ON ${printedTable(table)} USING btree (${list})${end}`,
  });
}

export function foreseeNotNull(schema: ForeseenSchema, table: string, column: string, notNull: boolean): void {
  schema.changeColumn(table, column, { notNull });
  schema.redefine('column', `${table}.${column}`, (definition) =>
    changedColumn(definition, { notNull: notNull ? ' not null' : '' }),
  );
}

export function foreseeNoConstraint(schema: ForeseenSchema, table: string, name: string): void {
  const on = `${name} on ${table}`;
  const known = schema.object('constraint', on);
  if (!known) return schema.doubt(`${table}.${name}`);
  schema.remove('constraint', on);
  if (known.definition.startsWith('FOREIGN') || known.definition.startsWith('CHECK')) return undefined;
  schema.remove('index', `${table.replace(/\.[^.]*$/, '')}.${name}`);
  if (!known.definition.startsWith('PRIMARY KEY')) return undefined;
  if (schema.table(table)?.replicaIdentity === 'default') schema.changeTable(table, { identity: [] });
  schema.changeTable(table, { primaryKey: [] });
}
