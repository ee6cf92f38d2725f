import type { Node } from 'libpg-query';
import { columnType } from './column-type.ts';
import { signatureOf } from './signature.ts';
import { all, as, nameLabel, relationName, nameOfParts, option, strings, type Name, type Of } from './ast.ts';
import type { Schema, TableFact } from './facts.ts';
import { indexKey } from '../shapes/unique-key.ts';
import { learnAlter, learnTable } from './learn-table.ts';
import type { Statement } from './statement.ts';
import { leave, renameType, typeLessons, type Lessons } from './learn-type.ts';

/**
 * Takes a statement's effect into the schema, as far as the text shows it. Statements that change nothing known are
 * passed over.
 */
export function learn(statement: Statement, schema: Schema): void {
  const lesson = lessons[statement.tag] as ((node: object, schema: Schema) => void) | undefined;
  lesson?.(statement.fields, schema);
}

const lessons: Lessons = {
  CreateStmt: learnTable,
  AlterTableStmt: learnAlter,
  CreateTableAsStmt: (node, schema) => {
    if (node.if_not_exists === true && schema.table(relationName(node.into?.rel, schema.defaultSchema))) return;
    const kind = node.objtype === 'OBJECT_MATVIEW' ? 'materialized view' : 'table';
    relation(schema, relationName(node.into?.rel, schema.defaultSchema), kind, outputNames(node.query));
  },
  ViewStmt: (node, schema) => {
    const aliases = strings(node.aliases);
    relation(
      schema,
      relationName(node.view, schema.defaultSchema),
      'view',
      aliases.length > 0 ? aliases : outputNames(node.query),
    );
  },
  SelectStmt: (node, schema) => {
    if (node.intoClause)
      relation(
        schema,
        relationName(node.intoClause.rel, schema.defaultSchema),
        'table',
        outputNames({ SelectStmt: node }),
      );
  },
  IndexStmt: (node, schema) => {
    const table = relationName(node.relation, schema.defaultSchema);
    const columns = all(node.indexParams, 'IndexElem').map((element) => element.name ?? 'expr');
    const name = { schema: table.schema, name: node.idxname ?? `${[table.name, ...columns].join('_')}_idx` };
    const unique = node.unique === true;
    schema.indexes.add({ name, table, unique, columns, key: indexKey(node), batch: schema.batch });
  },
  CreateFunctionStmt: (node, schema) => {
    const name = nameOfParts(strings(node.funcname), schema.defaultSchema);
    const fact = {
      name,
      ...signatureOf(node),
      volatile: !['immutable', 'stable'].includes(strings(option(node.options, 'volatility')?.arg)[0] ?? ''),
      searchPath: all(node.options, 'DefElem').some((one) => as(one.arg, 'VariableSetStmt')?.name === 'search_path'),
      definer: as(option(node.options, 'security')?.arg, 'Boolean')?.boolval === true,
      batch: schema.batch,
    };
    const others = (schema.functions.get(nameLabel(name)) ?? []).filter((one) => one.arguments !== fact.arguments);
    schema.functions.set(nameLabel(name), [...others, fact]);
  },
  ...typeLessons,
  CreateSeqStmt: (node, schema) => {
    schema.sequences.set(nameLabel(relationName(node.sequence, schema.defaultSchema)), { type: sequenceType(node) });
  },
  AlterSeqStmt: (node, schema) => {
    if (option(node.options, 'as'))
      schema.sequences.set(nameLabel(relationName(node.sequence, schema.defaultSchema)), { type: sequenceType(node) });
  },
  DropStmt: (node, schema) => {
    for (const object of node.objects ?? [])
      drop(schema, node.removeType, nameOfParts(strings(object), schema.defaultSchema));
  },
  RenameStmt: (node, schema) => {
    const name = relationName(node.relation, schema.defaultSchema);
    const to = node.newname ?? '';
    if (
      node.renameType === 'OBJECT_TABLE' ||
      node.renameType === 'OBJECT_VIEW' ||
      node.renameType === 'OBJECT_MATVIEW'
    ) {
      move(schema, name, { ...name, name: to });
    } else if (node.renameType === 'OBJECT_TYPE' || node.renameType === 'OBJECT_DOMAIN') {
      renameType(schema, nameOfParts(strings(node.object), schema.defaultSchema), to);
    } else if (node.renameType === 'OBJECT_COLUMN') {
      const columns = schema.table(name)?.columns;
      const known = columns?.get(node.subname ?? '');
      if (known) columns?.set(node.subname ?? '', { ...known, ...nameBefore(known, node.subname ?? '', schema) });
      rename(columns, node.subname ?? '', to);
    } else if (node.renameType === 'OBJECT_TABCONSTRAINT') {
      rename(schema.table(name)?.constraints, node.subname ?? '', to);
    }
  },
  AlterObjectSchemaStmt: (node, schema) => {
    if (node.relation)
      move(schema, relationName(node.relation, schema.defaultSchema), {
        schema: node.newschema ?? '',
        name: node.relation.relname ?? '',
      });
  },
  VariableSetStmt: (node, schema) => {
    if (node.name === 'search_path') schema.defaultSchema = all(node.args, 'A_Const')[0]?.sval?.sval ?? 'public';
  },
};

function relation(schema: Schema, name: Name, kind: TableFact['kind'], columns: readonly string[] | undefined): void {
  const batch = schema.table(name)?.batch ?? schema.batch;
  const unknown = { type: { base: '', parameters: [], array: false }, notNull: false, hasDefault: false, batch };
  schema.tables.set(nameLabel(name), {
    name,
    kind,
    batch,
    complete: columns !== undefined,
    temporary: name.schema === 'pg_temp',
    constraints: new Map(),
    constraintsGone: [],
    columns: new Map((columns ?? []).map((column) => [column, unknown])),
  });
}

/** The names of a query's columns; undefined where a star or an unnamed expression hides them. */
export function outputNames(query: Node | undefined): string[] | undefined {
  const select = as(query, 'SelectStmt');
  const left = select?.larg ?? select;
  const names = all(left?.targetList, 'ResTarget').map((target) => {
    if (target.name !== undefined) return target.name;
    const fields = as(target.val, 'ColumnRef')?.fields ?? as(target.val, 'FuncCall')?.funcname;
    return fields === undefined || fields.some((field) => 'A_Star' in field) ? undefined : strings(fields).at(-1);
  });
  return names.length === 0 || names.includes(undefined) ? undefined : (names as string[]);
}

function drop(schema: Schema, type: Of<'DropStmt'>['removeType'], name: Name): void {
  const key = nameLabel(name);
  if (type === 'OBJECT_INDEX') schema.indexes.drop(name, schema.batch);
  else if (type === 'OBJECT_FUNCTION' || type === 'OBJECT_PROCEDURE' || type === 'OBJECT_ROUTINE')
    schema.functions.delete(key);
  else if (type === 'OBJECT_TYPE' || type === 'OBJECT_DOMAIN')
    leave(schema, name, schema.types.get(key) ?? { name, kind: 'other', constrained: false, batch: -1 });
  else if (type === 'OBJECT_TABLE' || type === 'OBJECT_VIEW' || type === 'OBJECT_MATVIEW') schema.tables.delete(key);
}

function sequenceType(node: Of<'CreateSeqStmt'> | Of<'AlterSeqStmt'>): string {
  const type = as(option(node.options, 'as')?.arg, 'TypeName');
  return type ? columnType(type).base : 'int8';
}

function move(schema: Schema, from: Name, to: Name): void {
  const fact = schema.table(from);
  if (!fact) return;
  schema.tables.delete(nameLabel(from));
  schema.tables.set(nameLabel(to), { ...fact, ...nameBefore(fact, from, schema), name: to });
}

/** What the live release calls it, however often this release has renamed it. */
function nameBefore<T>(
  { was }: { readonly was?: { readonly name: T; readonly batch: number } },
  name: T,
  { batch }: Schema,
): { was: { name: T; batch: number } } {
  return { was: was?.batch === batch ? was : { name, batch } };
}

function rename<T>(map: Map<string, T> | undefined, from: string, to: string): void {
  const value = map?.get(from);
  if (!map || value === undefined) return;
  map.delete(from);
  map.set(to, value);
}
