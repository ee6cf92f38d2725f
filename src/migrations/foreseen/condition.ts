import { rows, withFixedPath, withTransaction, type Client } from '../../postgres/client.ts';
import { as, constant, strings, tagOf, walk, type Of, type Tag } from '../lint/ast.ts';
import { tryParse } from '../lint/parse.ts';
import type { AskedNames } from './names.ts';

/** Whether a condition of a block will hold when it runs; undefined where that is not certain. */
export type AnswerOf = (condition: string) => Promise<boolean | undefined>;

/**
 * Asks the live colour, in a transaction that reads only, and only of its catalogue, by what is PostgreSQL's own. The
 * answer holds for the run as long as no file before has touched what is asked for.
 */
export function answersOf(live: Client, isUntouched: (asked: AskedNames) => boolean): AnswerOf {
  return async (condition) => {
    const asked = askedIn(condition);
    if (!asked || !isUntouched(asked)) return undefined;
    const answer = withFixedPath(live, () =>
      withTransaction(live, () => rows<{ is: unknown }>(live, `SELECT (${condition}) AS is`), 'READ ONLY'),
    );
    const [row] = await answer.catch(() => []);
    return typeof row?.is === 'boolean' ? row.is : undefined;
  };
}

/** The names of objects that a condition depends on; undefined where it may depend on more than the catalogue. */
function askedIn(condition: string): AskedNames | undefined {
  const parsed = tryParse(`SELECT ${condition}`);
  const node = 'statements' in parsed && parsed.statements.length === 1 ? parsed.statements[0]?.stmt : undefined;
  if (!node || tagOf(node) !== 'SelectStmt') return undefined;
  const found: Compared[] = [];
  for (const [tag, fields] of walk(node)) {
    const read = readers[tag as Tag];
    const said = read?.(fields);
    if (said === undefined || said === false) return undefined;
    if (said !== true) found.push(said);
  }
  const fields = new Set(found.map(({ field }) => field));
  const apart = fields.size < found.length || JSON.stringify(node).includes('OR_EXPR');
  return found.length === 0 ? undefined : { names: found.map(({ name }) => name), apart };
}

interface Compared {
  readonly field: string;
  readonly name: string;
}

/** What they say of an object follows from its name and definition alone, which the files change or not. */
const relations = new Set([
  ...['pg_class', 'pg_namespace', 'pg_type', 'pg_attribute', 'pg_constraint', 'pg_index', 'pg_indexes', 'pg_tables'],
  ...['pg_views', 'pg_proc', 'information_schema.tables', 'information_schema.columns', 'information_schema.views'],
  ...['information_schema.table_constraints', 'information_schema.routines'],
]);
/** Columns of these that hold an object's name; its schema's says little. */
const naming = new Set([
  ...['table_name', 'column_name', 'constraint_name', 'routine_name', 'tablename', 'viewname', 'indexname'],
  ...['relname', 'attname', 'conname', 'typname', 'proname'],
]);
const functions = /^(?:pg_catalog\.)?(?:to_regclass|to_regtype|lower|upper|count|coalesce)$/;
const types = /^(?:pg_catalog\.)?(?:text|name|varchar|bool|oid|regclass|regtype)$/;

type Reader = (fields: object) => Compared | boolean;
const fine: Reader = () => true;

/** Of each node that may be in a condition: the name that it asks for, or whether it is understood. */
const readers: Partial<Record<Tag, Reader>> = {
  SelectStmt: (fields) => {
    const { intoClause, withClause, lockingClause, op } = fields as Of<'SelectStmt'>;
    return !intoClause && !withClause && !lockingClause && op === 'SETOP_NONE';
  },
  RangeVar: (fields) => {
    const { schemaname = 'pg_catalog', relname = '' } = fields as Of<'RangeVar'>;
    return relations.has(schemaname === 'pg_catalog' ? relname : `${schemaname}.${relname}`);
  },
  A_Expr: (fields) => compared(fields as Of<'A_Expr'>),
  FuncCall: (fields) => {
    const { funcname, args = [] } = fields as Of<'FuncCall'>;
    const name = strings(funcname).join('.');
    return functions.test(name) && (!/to_reg/.test(name) || withSchema(constant(args[0])));
  },
  TypeCast: (fields) => {
    const { typeName, arg } = fields as Of<'TypeCast'>;
    const name = strings(typeName?.names).join('.');
    return types.test(name) && (!name.includes('reg') || withSchema(constant(arg)));
  },
  ResTarget: fine,
  JoinExpr: fine,
  SubLink: fine,
  BoolExpr: fine,
  NullTest: fine,
  ColumnRef: fine,
  String: fine,
  A_Star: fine,
  A_Const: fine,
  List: fine,
};

function compared({ kind, name, lexpr, rexpr }: Of<'A_Expr'>): Compared | boolean {
  if (strings(name).length !== 1) return false;
  const [left, right] = [lexpr, rexpr].map((side) => strings(as(side, 'ColumnRef')?.fields).at(-1));
  const field = left ?? right ?? '';
  const value = constant(left === undefined ? lexpr : rexpr);
  const isName = kind === 'AEXPR_OP' && strings(name)[0] === '=' && naming.has(field);
  return isName && value !== undefined ? { field, name: value } : true;
}

/** What a name without its schema means, the path of whoever runs it says. */
function withSchema(name: string | undefined): Compared | boolean {
  const bare = /^[^.]+\.([^.]+)$/.exec(name ?? '')?.[1];
  return bare !== undefined && { field: 'path', name: bare.replaceAll('"', '') };
}
