import type { Node } from 'libpg-query';
import type { SchemaKind } from '../../postgres/fingerprint/index.ts';
import { strings, type Of } from '../lint/ast.ts';
import { printedName, printedTable } from './constraint.ts';
import type { ForeseenSchema } from './schema.ts';

const kindsOf: Readonly<Record<string, readonly SchemaKind[]>> = {
  OBJECT_TYPE: ['type', 'domain'],
  OBJECT_DOMAIN: ['domain'],
  OBJECT_INDEX: ['index'],
};
const relations: ReadonlySet<string> = new Set([
  ...['OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_FOREIGN_TABLE', 'OBJECT_SEQUENCE'],
]);
const routines: ReadonlySet<string> = new Set([
  'OBJECT_FUNCTION',
  'OBJECT_PROCEDURE',
  'OBJECT_ROUTINE',
  'OBJECT_AGGREGATE',
]);

export function foreseeDrop(
  schema: ForeseenSchema,
  { removeType = 'OBJECT_ACCESS_METHOD', behavior }: Of<'DropStmt'>,
  object: Node,
): void {
  const [name = '', inSchema] = strings(object).reverse();
  if (relations.has(removeType)) {
    const found = inSchema === 'pg_temp' ? undefined : schema.findName(inSchema, name);
    if (found === undefined) return;
    if (behavior === 'DROP_CASCADE') for (const view of schema.viewsOver(found)) schema.removeRelation(view);
    if (removeType === 'OBJECT_SEQUENCE' && behavior === 'DROP_CASCADE') schema.removeDefaultsOf(found);
    schema.removeRelation(found);
  } else if (removeType === 'OBJECT_EXTENSION') schema.remove('extension', strings(object)[0] ?? '');
  else if (routines.has(removeType)) dropRoutine(schema, object, inSchema, name);
  else if (removeType === 'OBJECT_SCHEMA') {
    if (behavior === 'DROP_CASCADE') schema.removeSchema(name);
    else schema.remove('schema', name);
  } else {
    const kinds = kindsOf[removeType] ?? [];
    const found = schema.findObject(kinds, inSchema, name);
    if (found === undefined) return;
    for (const kind of kinds) schema.remove(kind, found);
    if (behavior === 'DROP_CASCADE' && removeType !== 'OBJECT_INDEX') schema.removeColumnsOf(found);
  }
}

/** Which of several of one name, the types of its arguments say, which the text spells as it likes. */
function dropRoutine(schema: ForeseenSchema, object: Node, inSchema: string | undefined, name: string): void {
  const found = schema.routines(inSchema, name);
  const [only] = found;
  if (found.length === 1 && only) schema.remove(only.kind, only.identity);
  else if (found.length > 1) schema.doubtNamed(new Set([strings(object).at(-1)?.toLowerCase() ?? '']));
}

export function foreseeRename(schema: ForeseenSchema, node: Of<'RenameStmt'>): void {
  const { renameType, relation, subname = '', newname = '' } = node;
  const table = schema.find(relation);
  if (renameType === 'OBJECT_COLUMN' && table !== undefined) return renameColumn(schema, table, subname, newname);
  if (renameType === 'OBJECT_TABCONSTRAINT' && table !== undefined) {
    const known = schema.object('constraint', `${subname} on ${table}`);
    const index = `${table.replace(/\.[^.]*$/, '')}`;
    const unique = schema.object('index', `${index}.${subname}`);
    if (known) schema.put({ ...known, identity: `${printedName(newname)} on ${printedTable(table)}` });
    schema.remove('constraint', `${subname} on ${table}`);
    if (unique) renameIndex(schema, `${index}.${subname}`, newname);
    return;
  }
  if (relation && table !== undefined && relations.has(renameType ?? '')) {
    const [, inSchema = ''] = /^([^.]*)\./.exec(table) ?? [];
    return schema.renameRelation(table, inSchema, newname);
  }
  if (renameType === 'OBJECT_INDEX') {
    const found = schema.findObject(['index'], relation?.schemaname, relation?.relname ?? '');
    return found === undefined ? undefined : renameIndex(schema, found, newname);
  }
  const [name = '', inSchema] = strings(node.object).reverse();
  if (renameType === 'OBJECT_SCHEMA') {
    for (const each of schema.relationsIn(subname))
      schema.renameRelation(each, newname, each.slice(subname.length + 1));
    return schema.removeSchema(subname);
  }
  if (routines.has(renameType ?? '') && node.object) return dropRoutine(schema, node.object, inSchema, name);
  const kinds = kindsOf[renameType ?? ''] ?? [];
  const found = kinds.length > 0 ? schema.findObject(kinds, inSchema, name) : undefined;
  for (const kind of found === undefined ? [] : kinds) schema.remove(kind, found ?? '');
}

function renameIndex(schema: ForeseenSchema, index: string, to: string): void {
  const known = schema.object('index', index);
  if (!known) return;
  schema.remove('index', index);
  schema.put({
    kind: 'index',
    identity: `${known.identity.replace(/\.("(?:[^"]|"")+"|[^."]+)$/, '')}.${printedName(to)}`,
    definition: known.definition.replace(/INDEX ("(?:[^"]|"")+"|\S+) ON/, `INDEX ${printedName(to)} ON`),
  });
}

/** Rules that name the column are printed with its new name: what they are then is not compared. */
function renameColumn(schema: ForeseenSchema, table: string, from: string, to: string): void {
  const known = schema.table(table);
  const text = schema.object('column', `${table}.${from}`);
  if (!text) return;
  for (const rule of schema.rulesOver(table, from)) schema.doubt(`${table}.${rule}`);
  const named = (names: readonly string[]): string[] => names.map((name) => (name === from ? to : name));
  if (known)
    schema.changeTable(table, {
      columns: known.columns.map((each) => (each.name === from ? { ...each, name: to } : each)),
      primaryKey: named(known.primaryKey),
      identity: named(known.identity),
    });
  schema.remove('column', `${table}.${from}`);
  schema.put({ ...text, identity: `${printedTable(table)}.${printedName(to)}` });
}
