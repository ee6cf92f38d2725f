import type { Node, RangeVar } from 'libpg-query';
import { as, strings, type Of } from '../../lint/ast.ts';
import type { Statement } from '../../lint/statement.ts';
import type { ForeseenSchema } from '../schema.ts';
import type { StatementNeed } from './need.ts';
import { alterNeeds, columnRenamed } from './parts-of-tables.ts';

const relations: ReadonlySet<string> = new Set(
  ['TABLE', 'VIEW', 'MATVIEW', 'SEQUENCE', 'FOREIGN_TABLE', 'INDEX'].map((kind) => `OBJECT_${kind}`),
);

/** Objects that have to be there, and names that must be free. */
export function objectsNeeded({ node }: Statement, schema: ForeseenSchema): StatementNeed[] {
  const alter = as(node, 'AlterTableStmt');
  if (alter) return [...required(schema, alter.relation, alter.missing_ok), ...alterNeeds(schema, alter)];
  const rename = as(node, 'RenameStmt');
  if (rename?.relation)
    return [...required(schema, rename.relation, rename.missing_ok), ...columnRenamed(schema, rename)];
  const drop = as(node, 'DropStmt');
  if (drop) return dropped(schema, drop);
  const publication = as(node, 'AlterPublicationStmt')?.pubname;
  if (publication !== undefined) return [publicationNeeded(publication)];
  return [...required(schema, writtenBy(node), false), ...madeBy(node, schema)];
}

function dropped(
  schema: ForeseenSchema,
  { objects = [], removeType, missing_ok: fine }: Of<'DropStmt'>,
): StatementNeed[] {
  if (fine === true) return [];
  return objects.flatMap((object) => {
    const [name = '', schemaname] = strings(object).reverse();
    if (removeType === 'OBJECT_PUBLICATION') return [publicationNeeded(name)];
    if (!relations.has(removeType ?? '')) return [];
    return required(schema, { relname: name, ...(schemaname === undefined ? {} : { schemaname }) }, false);
  });
}

/** What a statement changes rows of, or makes something on. */
function writtenBy(node: Node): RangeVar | undefined {
  const written = as(node, 'InsertStmt') ?? as(node, 'UpdateStmt') ?? as(node, 'DeleteStmt') ?? as(node, 'MergeStmt');
  return written?.relation ?? as(node, 'IndexStmt')?.relation ?? as(node, 'CreateTrigStmt')?.relation;
}

/** Of no schema any relation has the name, and nothing of the files was called so before. */
function required(
  schema: ForeseenSchema,
  relation: RangeVar | undefined,
  missingIsFine: boolean | undefined,
): StatementNeed[] {
  const { relname, schemaname, relpersistence } = relation ?? {};
  if (relname === undefined || missingIsFine === true || relpersistence === 't' || schemaname === 'pg_temp') return [];
  if (schema.find(relation) !== undefined) return [];
  return [
    {
      holds: 'EXISTS (SELECT FROM pg_class WHERE relname = $1)',
      values: [relname],
      names: [relname],
      lacking: `relation "${schemaname === undefined ? '' : `${schemaname}.`}${relname}" does not exist`,
    },
  ];
}

function publicationNeeded(name: string): StatementNeed {
  return {
    holds: 'EXISTS (SELECT FROM pg_publication WHERE pubname = $1)',
    values: [name],
    names: [name],
    lacking: `publication "${name}" does not exist`,
  };
}

/** Where what is made would be, and the name that must be free there. */
function madeBy(node: Node, schema: ForeseenSchema): StatementNeed[] {
  const table = as(node, 'CreateStmt');
  const rows = as(node, 'CreateTableAsStmt');
  const view = as(node, 'ViewStmt');
  const sequence = as(node, 'CreateSeqStmt');
  const index = as(node, 'IndexStmt');
  if (table && table.if_not_exists !== true) return relationFree(schema, table.relation);
  if (sequence && sequence.if_not_exists !== true) return relationFree(schema, sequence.sequence);
  if (rows && rows.if_not_exists !== true) return relationFree(schema, rows.into?.rel);
  if (view && view.replace !== true) return relationFree(schema, view.view);
  if (index?.idxname !== undefined && index.if_not_exists !== true) return indexFree(schema, index);
  const { schemaname, if_not_exists: ifNew } = as(node, 'CreateSchemaStmt') ?? {};
  if (schemaname !== undefined && ifNew !== true) return [schemaFree(schemaname)];
  return typeFree(schema, node);
}

function relationFree(schema: ForeseenSchema, relation: RangeVar | undefined): StatementNeed[] {
  const { relname = '', schemaname, relpersistence } = relation ?? {};
  const place = schemaname ?? schema.firstOfPath;
  const name = `${place}.${relname}`;
  if (relpersistence === 't' || schemaname === 'pg_temp' || !schema.isThere(name)) return [];
  // With a parent it may have gone.
  return [isFree('pg_class', 'rel', name, [relname, ...schema.parentsOf(name)])];
}

/** With a column of its table it may have gone. */
function indexFree(schema: ForeseenSchema, { idxname = '', relation }: Of<'IndexStmt'>): StatementNeed[] {
  const table = schema.find(relation);
  const name = `${table?.replace(/\.[^.]*$/s, '')}.${idxname}`;
  if (table === undefined || !schema.isThere(table) || !schema.object('index', name)) return [];
  return [isFree('pg_class', 'rel', name, [idxname, relation?.relname ?? '', ...schema.parentsOf(table)])];
}

function typeFree(schema: ForeseenSchema, node: Node): StatementNeed[] {
  const { typeName } = as(node, 'CreateEnumStmt') ?? as(node, 'CreateRangeStmt') ?? {};
  const { typevar } = as(node, 'CompositeTypeStmt') ?? {};
  const named = typevar
    ? [typevar.relname ?? '', typevar.schemaname]
    : strings(typeName ?? as(node, 'CreateDomainStmt')?.domainname).reverse();
  const [bare, place = schema.firstOfPath] = named;
  const name = `${place}.${bare}`;
  const known = (['type', 'domain'] as const).some((kind) => schema.was(kind, name) && schema.object(kind, name));
  return bare === undefined || !known || !schema.isSure(name, '') ? [] : [isFree('pg_type', 'typ', name, [bare])];
}

function schemaFree(name: string): StatementNeed {
  return {
    holds: 'NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)',
    values: [name],
    names: [name],
    free: true,
    lacking: `schema "${name}" already exists`,
  };
}

function isFree(
  catalogue: 'pg_class' | 'pg_type',
  prefix: 'rel' | 'typ',
  name: string,
  names: readonly string[],
): StatementNeed {
  const [, place = '', bare = ''] = /^([^.]*)\.(.*)$/s.exec(name) ?? [];
  return {
    holds: `NOT EXISTS (SELECT FROM ${catalogue} x JOIN pg_namespace n ON n.oid = x.${prefix}namespace
      WHERE x.${prefix}name = $1 AND n.nspname = $2)`,
    values: [bare, place],
    names,
    apart: true,
    free: true,
    lacking: `${prefix === 'rel' ? 'relation' : 'type'} "${name}" already exists`,
  };
}
