import { parsePlPgSQLSync, type TypeName } from 'libpg-query';
import { all, option, strings, type Of } from './ast.ts';
import { columnType, isBuiltin } from './column-type.ts';
import { constantText } from './constant-text.ts';
import { trimmed, tryParse } from './parse.ts';
import type { Range } from './range.ts';
import type { Source } from './source.ts';
import { Statement } from './statement.ts';

/** Code inside a string: the body of a DO block or a function. */
export interface CodeBody {
  readonly language: string;
  readonly text: string;
  /**
   * Where the text begins in the file; undefined where it is quoted with escapes, so that positions inside mean
   * nothing.
   */
  readonly start: number | undefined;
  readonly range: Range;
}

export interface Unpacked {
  readonly statements: readonly Statement[];
  /** Of EXECUTE, where its SQL exists only when it runs. */
  readonly dynamic: readonly Range[];
  readonly commits: readonly Range[];
  /** As the parser gives it. */
  readonly tree?: unknown;
  readonly problem?: { readonly message: string; readonly range: Range };
}

/** The body of DO or CREATE FUNCTION; undefined for a SQL-standard one, C, or a language that is not parsed here. */
export function bodyOf(statement: Statement, fields: Of<'DoStmt'> | Of<'CreateFunctionStmt'>): CodeBody | undefined {
  const options = 'args' in fields ? fields.args : (fields as Of<'CreateFunctionStmt'>).options;
  const code = option(options, 'as')?.arg;
  const text = code === undefined ? undefined : strings(code)[0];
  if (text === undefined) return undefined;
  const fallback = statement.tag === 'DoStmt' ? 'plpgsql' : 'sql';
  const language = (strings(option(options, 'language')?.arg)[0] ?? fallback).toLowerCase();
  const token = statement.tokens.find(
    (one) => /^(?:\$|')/.test(one.text) && one.text.length >= text.length + 2 && one.text.includes(text),
  );
  const offset = token?.text.indexOf(text) ?? 0;
  return {
    language,
    text,
    start: token ? token.start + Buffer.byteLength(token.text.slice(0, offset)) : undefined,
    range: token ?? statement.range,
  };
}

type Tree = Readonly<Record<string, unknown>>;

/** Several rules ask for the same body. */
const unpacked = new WeakMap<Statement, Unpacked>();

/** The static statements of a DO block's body, in their order; or what PostgreSQL says against a body. */
export function unpack(statement: Statement, body: CodeBody): Unpacked {
  const known = unpacked.get(statement) ?? parseBody(statement, body);
  unpacked.set(statement, known);
  return known;
}

function parseBody(statement: Statement, body: CodeBody): Unpacked {
  // What is in a function runs when it is called: only a DO block's statements are the migration's own.
  const runs = statement.tag === 'DoStmt';
  const found: Finder = { source: statement.source, body, runs, from: 0, statements: [], dynamic: [], commits: [] };
  let tree: unknown;
  try {
    tree = parsePlPgSQLSync(runs ? asBlock(body.text) : withPlainTypes(statement)) as unknown;
    visit(tree, found);
  } catch (error) {
    const message =
      error instanceof RangeError ? 'the body is nested too deeply for the parser' : (error as Error).message;
    return { statements: [], dynamic: [], commits: [], problem: { message, range: nearToken(body, message) } };
  }
  return { ...found, tree };
}

/** One in a block may have no text of its own in the file. */
function asBlock(body: string): string {
  let quote = '$do$';
  while (body.includes(quote)) quote = quote.replace('do', 'do_');
  return `DO ${quote}${body}${quote}`;
}

/**
 * The parser has no catalogue: it takes a type that is not built in for a record, refuses to return an array of it, and
 * knows no `table.column%TYPE`; a server takes all of these. An element instead of the array, and the name alone, read
 * the body the same. As many bytes, so that positions stay.
 */
function withPlainTypes({ text, base, range, tag, fields }: Statement): string {
  if (tag !== 'CreateFunctionStmt') return text;
  const node = fields as Of<'CreateFunctionStmt'>;
  const types = [
    { type: node.returnType, returned: true },
    ...all(node.parameters, 'FunctionParameter').map(({ argType, mode }) => ({
      type: argType,
      returned: mode === 'FUNC_PARAM_OUT' || mode === 'FUNC_PARAM_INOUT' || mode === 'FUNC_PARAM_TABLE',
    })),
  ];
  let bytes = Buffer.from(text);
  for (const { type, returned } of types) {
    const unread = type?.pct_type === true ? copiedType : returned && ownArray(type) ? bounds : undefined;
    if (type === undefined || unread === undefined) continue;
    const start = base + (type.location ?? 0) - range.start;
    const rest = bytes.subarray(start).toString();
    const read = rest.replace(unread, (found) => ' '.repeat(found.length));
    bytes = Buffer.concat([bytes.subarray(0, start), Buffer.from(read)]);
  }
  return bytes.toString();
}

const copiedType = /%\s*TYPE\b/i;
const bounds = /\s*(?:\[\d*\]\s*)+|\s+ARRAY\b(?:\s*\[\d*\])?/i;

function ownArray(type: TypeName | undefined): boolean {
  return type?.arrayBounds !== undefined && !isBuiltin(columnType(type).base);
}

interface Finder {
  readonly source: Source;
  readonly body: CodeBody;
  readonly runs: boolean;
  /** Characters of the body that are behind: queries come in the order of the text. */
  from: number;
  readonly statements: Statement[];
  readonly dynamic: Range[];
  readonly commits: Range[];
}

function visit(value: unknown, found: Finder): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, found);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      if (key === 'PLpgSQL_stmt_execsql') embedded(queryOf((inner as Tree)['sqlstmt']), found);
      // CALL, and DO in a block.
      else if (key === 'PLpgSQL_stmt_call') embedded(queryOf((inner as Tree)['expr']), found);
      else if (key === 'PLpgSQL_stmt_dynexecute' || key === 'PLpgSQL_stmt_dynfors') executed(inner as Tree, found);
      else if (key === 'PLpgSQL_stmt_commit') found.commits.push(locate(found, /\bCOMMIT\b/i));
      else if (key === 'PLpgSQL_stmt_rollback') found.commits.push(locate(found, /\bROLLBACK\b/i));
      visit(inner, found);
    }
  }
}

function executed(tree: Tree, found: Finder): void {
  const range = locate(found, /\bEXECUTE\b/i);
  const text = found.runs ? constantText(queryOf(tree['query'])) : undefined;
  const parsed = text === undefined ? undefined : tryParse(text);
  const nodes = parsed && 'statements' in parsed ? parsed.statements.flatMap(({ stmt }) => stmt ?? []) : [];
  // A body of code has places of its own, which are none in the file.
  if (nodes.length === 0 || nodes.some((node) => 'DoStmt' in node || 'CreateFunctionStmt' in node))
    found.dynamic.push(range);
  else
    for (const node of nodes) found.statements.push(new Statement(found.source, node, range, range.start, true, text));
}

function queryOf(holder: unknown): string {
  const query = ((holder as Tree | undefined)?.['PLpgSQL_expr'] as Tree | undefined)?.['query'];
  return typeof query === 'string' ? query : '';
}

function embedded(query: string, found: Finder): void {
  if (query === '') return;
  const parsed = found.runs ? tryParse(query) : { statements: [] };
  if (!('statements' in parsed)) return;
  const at = found.body.text.indexOf(query, found.from);
  const known = found.body.start !== undefined && at >= 0;
  const base = known
    ? (found.body.start ?? 0) + Buffer.byteLength(found.body.text.slice(0, at))
    : found.body.range.start;
  if (at >= 0) found.from = at + query.length;
  const range = known ? trimmed(found.source, base, base + Buffer.byteLength(query)) : found.body.range;
  for (const { stmt } of parsed.statements)
    if (stmt) found.statements.push(new Statement(found.source, stmt, range, base, true));
}

function locate(found: Finder, word: RegExp): Range {
  const match = word.exec(found.body.text.slice(found.from));
  if (!match || found.body.start === undefined) return found.body.range;
  const start = found.body.start + Buffer.byteLength(found.body.text.slice(0, found.from + match.index));
  found.from += match.index + match[0].length;
  return { start, end: start + Buffer.byteLength(match[0]) };
}

/** PL/pgSQL's parser says no position; the quoted word does where it occurs once. */
function nearToken(body: CodeBody, message: string): Range {
  const word = /at or near "([^]*)"$/.exec(message)?.[1];
  const at = word === undefined || word === '' ? -1 : body.text.indexOf(word);
  if (at < 0 || body.start === undefined || body.text.includes(word as string, at + 1))
    return { start: body.range.start, end: body.range.start + 2 };
  const start = body.start + Buffer.byteLength(body.text.slice(0, at));
  return { start, end: start + Buffer.byteLength(word as string) };
}
