import type { Node, RangeVar } from 'libpg-query';
import { all, as, fieldsOf, option, strings, tagOf, walk, type Of } from '../lint/ast.ts';

import { createdFrom } from './created-from.ts';
import type { Fill } from './fill.ts';

export interface NamedRelation {
  /** Undefined where the statement leaves it to search_path. */
  readonly schema: string | undefined;
  readonly name: string;
}

export interface WriteTarget extends NamedRelation {
  /** Of an UPDATE, the columns that it sets; undefined where whole rows are written. */
  readonly columns?: readonly string[];
}

/** What can be read off a statement that may write rows. */
export interface DataStatement {
  readonly targets: readonly WriteTarget[];
  readonly reads: readonly NamedRelation[];
  /** A block, a call or a function: what it writes shows when it runs. */
  readonly opaque: boolean;
  /** Opaque, and it makes or changes objects besides. */
  readonly changesSchema: boolean;
  /** Opaque, and may commit on its own where no transaction is open. */
  readonly mayCommit: boolean;
  /** Of an UPDATE that takes nothing but the row itself. */
  readonly fill?: Fill | undefined;
  /** Functions that it calls, by their bare names. */
  readonly calls?: readonly string[];
  /** What of its file's session it needs. */
  readonly session?: string;
  /** It writes nothing but temporary tables. */
  readonly fillsSession?: boolean;
  /** Its rows are written where the file makes this table, not where the table is there. */
  readonly onlyIfNew?: NamedRelation;
}

const nothing: DataStatement = { targets: [], reads: [], opaque: false, changesSchema: false, mayCommit: false };

/**
 * Undefined for a statement that writes no rows: a definition, a setting, a query without functions. Of a block:
 * `readBlock`.
 */
export function readData(node: Node, fill?: Fill): DataStatement | undefined {
  switch (tagOf(node)) {
    case 'InsertStmt':
    case 'UpdateStmt':
    case 'DeleteStmt':
    case 'MergeStmt':
      return { ...nothing, targets: writesIn([node]), reads: readsIn([node]), calls: callsIn([node]), fill };
    case 'SelectStmt':
      return ofSelect(node);
    case 'TruncateStmt':
      return { ...nothing, targets: all((fieldsOf(node) as Of<'TruncateStmt'>).relations, 'RangeVar').map(named) };
    case 'ExplainStmt': {
      const { query, options } = fieldsOf(node) as Of<'ExplainStmt'>;
      return query && option(options, 'analyze') ? readData(query) : undefined;
    }
    case 'CallStmt':
      return { ...nothing, opaque: true, mayCommit: true };
    case 'ExecuteStmt':
      return { ...nothing, opaque: true };
    default:
      return undefined;
  }
}

/**
 * A table that is made of rows, which are written as by INSERT: a temporary one is of schema `pg_temp`. Of a query, what
 * it reads.
 */
export function readRowsMade(node: Node): DataStatement | undefined {
  const made = as(node, 'CreateTableAsStmt');
  const query = made ? made.query : node;
  const into = made ? made.into : as(node, 'SelectStmt')?.intoClause;
  if (!query) return undefined;
  const targets = [...(into?.rel ? [kept(into.rel)] : []), ...writesIn([query])];
  if (into?.skipData) return { ...nothing, targets };
  return { ...nothing, targets, reads: readsIn([query]), calls: callsIn([query]) };
}

function kept(relation: RangeVar): NamedRelation {
  return relation.relpersistence === 't' ? { ...named(relation), schema: 'pg_temp' } : named(relation);
}

/** A table that a block makes, temporary or of rows. */
export function readMade(node: Node): Pick<DataStatement, 'targets' | 'reads'> | undefined {
  const temporary = as(node, 'CreateStmt')?.relation;
  if (temporary?.relpersistence === 't') return { targets: [kept(temporary)], reads: [] };
  return tagOf(node) === 'CreateTableAsStmt' ? readRowsMade(node) : undefined;
}

/** Whether a note may give it a place; of a table that is made of rows, they may have one. */
export function writesRows(node: Node, text: string): boolean {
  return tagOf(node) === 'DoStmt' || readData(node) !== undefined || createdFrom(node, text) !== undefined;
}

function ofSelect(node: Node): DataStatement | undefined {
  const select = fieldsOf(node) as Of<'SelectStmt'>;
  if (select.intoClause) return undefined;
  const targets = writesIn([node]);
  const opaque = [...walk([node])].some(([tag]) => tag === 'FuncCall');
  return targets.length > 0 || opaque ? { ...nothing, targets, reads: readsIn([node]), opaque } : undefined;
}

/** Of the statement and of those in its WITH. */
function writesIn(nodes: readonly Node[]): WriteTarget[] {
  return [...walk(nodes)].flatMap(([tag, fields]) => {
    const { relation } = fields as { readonly relation?: RangeVar };
    if (!relation || !/^(Insert|Update|Delete|Merge)Stmt$/.test(tag)) return [];
    if (tag !== 'UpdateStmt') return [named(relation)];
    const columns = all((fields as unknown as Of<'UpdateStmt'>).targetList, 'ResTarget').map(({ name }) => name ?? '');
    return [{ ...named(relation), columns }];
  });
}

/** A name that a WITH gives is no relation where it holds: behind it, and in its own query where that is recursive. */
function readsIn(value: unknown, hidden: ReadonlySet<string> = new Set()): NamedRelation[] {
  if (Array.isArray(value)) return value.flatMap((each) => readsIn(each, hidden));
  if (typeof value !== 'object' || value === null) return [];
  const { withClause, RangeVar: relation, ...rest } = value as { withClause?: Of<'WithClause'>; RangeVar?: RangeVar };
  if (relation) {
    const isHidden = relation.schemaname === undefined && hidden.has(relation.relname ?? '');
    // What it makes is no source.
    return isHidden || relation.relpersistence === 't' ? [] : [named(relation)];
  }
  const expressions = all(withClause?.ctes, 'CommonTableExpr');
  const names = new Set([...hidden, ...expressions.map(({ ctename = '' }) => ctename)]);
  const seen = new Set(withClause?.recursive === true ? names : hidden);
  const inside = expressions.flatMap(({ ctename = '', ctequery }) => {
    const reads = readsIn(ctequery, seen);
    seen.add(ctename);
    return reads;
  });
  return [...inside, ...Object.values(rest).flatMap((each) => readsIn(each, names))];
}

function callsIn(nodes: readonly Node[]): string[] {
  return [...walk(nodes)].flatMap(([tag, fields]) =>
    tag === 'FuncCall' ? (strings((fields as Of<'FuncCall'>).funcname).at(-1) ?? []) : [],
  );
}

function named({ schemaname, relname }: RangeVar): NamedRelation {
  return { schema: schemaname, name: relname ?? '' };
}

/** A name as a block writes it: `shop."Limits"`. */
const name = String.raw`((?:"[^"]+"|[\w$]+)(?:\s*\.\s*(?:"[^"]+"|[\w$]+))?)`;
const whole = new RegExp(
  String.raw`\b(?:insert\s+into|delete\s+from(?:\s+only)?|merge\s+into|truncate(?:\s+table)?(?:\s+only)?)\s+${name}`,
  'gi',
);
const update = new RegExp(String.raw`\bupdate\s+(?:only\s+)?${name}\s+(?:(?:as\s+)?[\w$]+\s+)?set\b`, 'gi');

/** What a text writes to that is no statement yet, but may become one. Which columns is not read. */
export function writesOf(text: string): WriteTarget[] {
  return [...text.matchAll(whole), ...text.matchAll(update)].map(([, found = '']) => {
    const parts = (found.match(/"[^"]+"|[\w$]+/g) ?? []).map((part) =>
      part.startsWith('"') ? part.slice(1, -1) : part.toLowerCase(),
    );
    return { schema: parts.length > 1 ? parts[0] : undefined, name: parts.at(-1) ?? '' };
  });
}
