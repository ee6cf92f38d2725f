import type { Node } from 'libpg-query';
import { all, as, constant, strings, type Of, type Tag } from '../lint/ast.ts';
import type { Statement } from '../lint/statement.ts';
import type { AnswerOf } from './condition.ts';
import { columnToCome } from './add-column.ts';
import { foreseeAlterTable } from './alter-table.ts';
import { checkIn, free, printedName, printedTable } from './constraint.ts';
import { foreseeDrop, foreseeRename } from './drop-and-rename.ts';
import { enumAgain, functionAgain, viewAgain } from './made-again.ts';
import type { ForeseenSchema } from './schema.ts';
import type { TypeOf } from './type-of.ts';

export interface Place {
  readonly schema: ForeseenSchema;
  readonly statement: Statement;
  readonly typeOf: TypeOf;
  readonly answerOf: AnswerOf;
  /** Says what will fail. */
  readonly judge: (statement: Statement) => Promise<void>;
}

type Lesson<T extends Tag> = (node: Of<T>, place: Place) => void | Promise<void>;

/** What a statement does to the schema, where its text says it with certainty; what may be otherwise is put in doubt. */
export async function foreseeStatement(place: Place): Promise<void> {
  const lesson = lessons[place.statement.tag] as ((node: object, place: Place) => void | Promise<void>) | undefined;
  await lesson?.(place.statement.fields, place);
}

/** Whether it may change what the gates judge by. */
export function changesSchema({ tag, fields }: Statement): boolean {
  if (tag === 'IndexStmt') return (fields as Of<'IndexStmt'>).unique === true;
  return tag in lessons && tag !== 'SelectStmt';
}

const lessons: { readonly [T in Tag]?: Lesson<T> } = {
  CreateStmt: (node, { schema }) => {
    const { schemaname, relname = '', relpersistence } = node.relation ?? {};
    if (relpersistence === 't' || schemaname === 'pg_temp') return schema.addTemporary(relname);
    if (node.if_not_exists === true && schema.find(node.relation) !== undefined) return;
    const name = schema.placeFor(schemaname, relname);
    makeTable(schema, name, node);
    // Partitions come and go by their bounds, which are not compared here.
    if (node.partbound) {
      schema.doubt(name);
      for (const parent of all(node.inhRelations, 'RangeVar')) schema.doubt(schema.find(parent) ?? '');
    }
  },
  CreateTableAsStmt: ({ into, objtype, if_not_exists: ifNew }, { schema }) => {
    const { schemaname, relname = '', relpersistence } = into?.rel ?? {};
    if (relpersistence === 't' || schemaname === 'pg_temp') return schema.addTemporary(relname);
    if (ifNew === true && schema.find(into?.rel) !== undefined) return;
    const name = schema.placeFor(schemaname, relname);
    if (objtype === 'OBJECT_MATVIEW') schema.doubt(name);
    else makeTable(schema, name);
  },
  SelectStmt: ({ intoClause, targetList }, { schema }) => {
    const { schemaname, relname = '', relpersistence } = intoClause?.rel ?? {};
    if (intoClause && (relpersistence === 't' || schemaname === 'pg_temp')) schema.addTemporary(relname);
    else if (intoClause) makeTable(schema, schema.placeFor(schemaname, relname));
    // As pg_dump begins its files.
    const call = as(all(targetList, 'ResTarget')[0]?.val, 'FuncCall');
    if (strings(call?.funcname).at(-1) === 'set_config' && constant(call?.args?.[0]) === 'search_path')
      schema.path = pathIn([constant(call?.args?.[1]) ?? '']);
  },
  VariableSetStmt: ({ name, args }, { schema }) => {
    if (name === 'search_path') schema.path = args ? pathIn(args.map((each) => constant(each) ?? '')) : undefined;
  },
  AlterTableStmt: async (node, place) => {
    if (node.objtype === 'OBJECT_TABLE') return foreseeAlterTable(node, place);
    if (node.objtype !== 'OBJECT_TYPE') return;
    const { schema } = place;
    const { schemaname, relname = '' } = node.relation ?? {};
    const type = schema.findObject(['type'], schemaname, relname);
    if (type !== undefined) schema.redefine('type', type, (text) => `${text}\nchanged`);
  },
  AlterEnumStmt: ({ typeName, newVal, oldVal }, { schema }) => {
    const [name = '', inSchema] = strings(typeName).reverse();
    const type = schema.findObject(['type'], inSchema, name);
    const line = (value: string): string => `'${value.replaceAll("'", "''")}'`;
    if (type === undefined || newVal === undefined) return;
    schema.redefine('type', type, (text) => {
      const lines = text.split('\n');
      if (oldVal !== undefined) return lines.map((each) => (each === line(oldVal) ? line(newVal) : each)).join('\n');
      return lines.includes(line(newVal)) ? text : [lines[0], line(newVal), ...lines.slice(1)].join('\n');
    });
  },
  AlterDomainStmt: ({ typeName, subtype, def }, { schema, statement }) => {
    const [name = '', inSchema] = strings(typeName).reverse();
    const domain = schema.findObject(['domain'], inSchema, name);
    if (domain === undefined || subtype === 'T') return;
    if (subtype === 'C') return addDomainCheck(schema, domain, as(def, 'Constraint')?.conname, statement.text);
    if (subtype !== 'O' && subtype !== 'N') return schema.doubt(domain);
    schema.redefine('domain', domain, (text) => {
      const [first = '', ...rest] = text.split('\n');
      const bare = first.replace(/ not null(?= default |$)/, '');
      const [, base = '', fill = ''] = /^(.*?)( default .*)?$/s.exec(bare) ?? [];
      return [subtype === 'O' ? `${base} not null${fill}` : bare, ...rest].join('\n');
    });
  },
  IndexStmt: (node, { schema, statement }) => {
    const table = schema.find(node.relation);
    if (node.unique !== true || table === undefined) return;
    const [, method = 'btree', key] =
      /\bON\s+(?:ONLY\s+)?(?:"(?:[^"]|"")+"|[\w$.])+(?:\s+USING\s+(\w+))?\s*(\(.*)$/is.exec(statement.text) ?? [];
    const called = node.idxname ?? indexName(schema, table, node);
    if (key === undefined || called === undefined) return schema.doubt(table);
    const name = printedName(called);
    schema.put({
      kind: 'index',
      identity: `${printedTable(table).split('.')[0] ?? ''}.${name}`,
      definition: `CREATE UNIQUE INDEX ${name} ON ${printedTable(table)} USING ${method} ${key.replace(/;\s*$/, '')}`,
    });
  },
  ViewStmt: (node, { schema }) => viewAgain(schema, node),
  CreateFunctionStmt: async (node, { schema, typeOf }) => {
    if (!(await functionAgain(schema, node, typeOf))) doubtNamed(schema, node.funcname);
  },
  CreateEnumStmt: (node, { schema }) => {
    if (!enumAgain(schema, node)) doubtNamed(schema, node.typeName);
  },
  CompositeTypeStmt: ({ typevar }, { schema }) =>
    schema.doubt(schema.placeFor(typevar?.schemaname, typevar?.relname ?? '')),
  CreateDomainStmt: ({ domainname }, { schema }) => doubtNamed(schema, domainname),
  CreateRangeStmt: ({ typeName }, { schema }) => doubtNamed(schema, typeName),
  DefineStmt: ({ defnames }, { schema }) => doubtNamed(schema, defnames),
  CreateSeqStmt: ({ sequence }, { schema }) =>
    schema.doubt(schema.placeFor(sequence?.schemaname, sequence?.relname ?? '')),
  CreateSchemaStmt: ({ schemaname = '' }, { schema }) => schema.doubt(schemaname),
  CreateForeignTableStmt: ({ base }, { schema }) =>
    schema.doubt(schema.placeFor(base?.relation?.schemaname, base?.relation?.relname ?? '')),
  DropStmt: (node, { schema }) => {
    for (const object of node.objects ?? []) foreseeDrop(schema, node, object);
  },
  DropOwnedStmt: (_, { schema }) => {
    schema.lost = true;
  },
  RenameStmt: (node, { schema }) => foreseeRename(schema, node),
  AlterObjectSchemaStmt: ({ relation, newschema = '' }, { schema }) => {
    const from = schema.find(relation);
    if (relation && from !== undefined) schema.renameRelation(from, newschema, relation.relname ?? '');
  },
};

/** As PostgreSQL names one that has no name; undefined where it is over more than columns and calls. */
function indexName(schema: ForeseenSchema, table: string, { indexParams }: Of<'IndexStmt'>): string | undefined {
  const parts = all(indexParams, 'IndexElem').map(
    ({ name, expr }) => name ?? strings(as(expr, 'FuncCall')?.funcname).at(-1),
  );
  const [, bare = ''] = /\.(.*)$/s.exec(table) ?? [];
  const whole = [bare, ...parts, 'idx'].join('_');
  return parts.includes(undefined) || whole.length > 63 ? undefined : free(schema, table, whole);
}

function addDomainCheck(schema: ForeseenSchema, domain: string, name: string | undefined, text: string): void {
  const check = checkIn(text);
  if (check === undefined) return schema.doubt(domain);
  const called = name ?? `${domain.replace(/^.*\./s, '')}_check`;
  schema.redefine('domain', domain, (known) => {
    const [first = '', ...rest] = known.split('\n');
    return [first, `${printedName(called)} ${check}`, ...rest].join('\n');
  });
}

/** Of its columns no more is known here than that they are others. */
function makeTable(schema: ForeseenSchema, name: string, node?: Of<'CreateStmt'>): void {
  const [, inSchema = '', bare = ''] = /^([^.]*)\.(.*)$/s.exec(name) ?? [];
  schema.setTable(name, {
    ...schema.fresh,
    schema: inSchema,
    name: bare,
    partitioned: node?.partspec !== undefined,
    persistence: 'permanent',
    columns: all(node?.tableElts, 'ColumnDef').map((each) => columnToCome(schema, each, undefined)),
    primaryKey: [],
    identity: [],
    replicaIdentity: 'full',
    bytes: 0,
    estimatedRows: 0,
  });
  schema.put({ kind: 'table', identity: printedTable(name), definition: 'permanent' });
  schema.madeAgain(name);
}

function pathIn(args: readonly string[]): readonly string[] | undefined {
  const names = args.flatMap((each) => each.split(',').map((name) => name.trim().replaceAll('"', '')));
  const schemas = names.filter((name) => name !== '' && name !== 'pg_catalog' && name !== 'pg_temp');
  return schemas.some((name) => name.startsWith('$')) || schemas.length === 0 ? undefined : schemas;
}

/** What is made under a name that was there. */
function doubtNamed(schema: ForeseenSchema, names: readonly Node[] | undefined): void {
  const name = strings(names).at(-1);
  if (name !== undefined) schema.doubtNamed(new Set([name.toLowerCase()]));
}
