import type { Of } from '../lint/ast.ts';
import { wordsOf } from './names.ts';
import { constantText } from '../lint/constant-text.ts';
import { tryParse } from '../lint/parse.ts';
import { bodyOf, unpack } from '../lint/plpgsql.ts';
import { Source } from '../lint/source.ts';
import { Statement } from '../lint/statement.ts';
import { doneAlready } from './done-already.ts';
import { changesSchema, foreseeStatement, type Place } from './statements.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * What a DO block does: its statements one by one, where nothing but a condition that is known decides whether they
 * run. What else it may do is in doubt, and all that follows where it puts a statement together.
 */
export async function foreseeBlock(place: Place): Promise<void> {
  const { statement, schema } = place;
  const body = bodyOf(statement, statement.fields as Of<'DoStmt'>);
  const read = body?.language === 'plpgsql' ? unpack(statement, body) : undefined;
  if (!read?.tree) {
    schema.lost = true;
    return;
  }
  const [whole] = (read.tree as { plpgsql_funcs: Fields[] }).plpgsql_funcs;
  await steps([at(whole, 'PLpgSQL_function')['action'] as Fields], place);
}

function at(value: unknown, key: string): Fields {
  return ((value as Fields | undefined)?.[key] ?? {}) as Fields;
}

function list(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? (value as Fields[]) : [];
}

/** False where the block has ended: what follows does not run. */
async function steps(body: readonly Fields[], place: Place): Promise<boolean> {
  for (const [index, step] of body.entries()) {
    const [kind = '', fields] = Object.entries(step)[0] ?? [];
    const left = await stepOf(kind, fields as Fields, place);
    if (left === 'ended') return false;
    if (left === 'unknown') {
      for (const rest of body.slice(index)) perhaps(rest, place);
      return true;
    }
  }
  return true;
}

type Left = 'goes on' | 'ended' | 'unknown';

async function stepOf(kind: string, fields: Fields, place: Place): Promise<Left> {
  switch (kind) {
    case 'PLpgSQL_stmt_block':
      if (fields['exceptions'] !== undefined) return attempt(fields, place);
      return (await steps(list(fields['body']), place)) ? 'goes on' : 'ended';
    case 'PLpgSQL_stmt_if':
      return branch(fields, place);
    case 'PLpgSQL_stmt_execsql':
    case 'PLpgSQL_stmt_call':
    case 'PLpgSQL_stmt_dynexecute':
      for (const statement of statementsOf(kind, fields, place)) await inner({ ...place, statement });
      return 'goes on';
    case 'PLpgSQL_stmt_return':
      return 'ended';
    case 'PLpgSQL_stmt_raise':
      return isError(fields) ? 'ended' : 'goes on';
    default:
      return harmless.has(kind) ? 'goes on' : 'unknown';
  }
}

/** They change no schema but by what they call, which is looked for in the whole text. */
const harmless = new Set(
  ['perform', 'assign', 'getdiag', 'assert', 'open', 'fetch', 'close'].map((kind) => `PLpgSQL_stmt_${kind}`),
);
const errorLevel = 21;

function isError({ elog_level: level }: Fields): boolean {
  return typeof level !== 'number' || level >= errorLevel;
}

async function inner(place: Place): Promise<void> {
  if (place.statement.tag === 'DoStmt') return foreseeBlock(place);
  await place.judge(place.statement);
  place.schema.hasSaid(place.statement);
  await foreseeStatement(place);
}

async function branch(fields: Fields, place: Place): Promise<Left> {
  const elsif = list(fields['elsif_list']).map((each) => at(each, 'PLpgSQL_if_elsif'));
  const ways = [
    { cond: fields['cond'], body: fields['then_body'] },
    ...elsif.map(({ cond, stmts }) => ({ cond, body: stmts })),
  ];
  for (const { cond, body } of ways) {
    const holds = await place.answerOf(queryOf(cond));
    if (holds === undefined) return mayEnd(fields) ? 'unknown' : doubted(fields, place);
    if (holds) return (await steps(list(body), place)) ? 'goes on' : 'ended';
  }
  return (await steps(list(fields['else_body']), place)) ? 'goes on' : 'ended';
}

function doubted(fields: Fields, place: Place): Left {
  perhaps(fields, place);
  return 'goes on';
}

/** Whether what follows may not run, because of what is in it; an error ends the run as a whole. */
function mayEnd(fields: Fields): boolean {
  return /"PLpgSQL_stmt_(?:return|exit)"/.test(JSON.stringify(fields));
}

/**
 * One statement whose only failure that is caught is that it is done already: as with IF EXISTS, IF NOT EXISTS. Of any
 * other it is not known what is taken back.
 */
async function attempt(fields: Fields, place: Place): Promise<Left> {
  const [only, ...more] = list(fields['body']);
  const [kind = '', step] = Object.entries(only ?? {})[0] ?? [];
  const found = more.length === 0 ? statementsOf(kind, step as Fields, place) : [];
  const [statement] = found;
  if (statement && found.length === 1 && isForDone(fields)) {
    const isDone = doneAlready(place.schema, statement);
    // What fails is caught.
    if (isDone === false) await inner({ ...place, statement, judge: () => Promise.resolve() });
    if (isDone !== undefined) return 'goes on';
  }
  return mayEnd(fields) ? 'unknown' : doubted(fields, place);
}

/** Handlers of that alone, which do nothing. */
function isForDone(fields: Fields): boolean {
  const handlers = list(at(fields['exceptions'], 'PLpgSQL_exception_block')['exc_list']).map((each) =>
    at(each, 'PLpgSQL_exception'),
  );
  return handlers.every(
    ({ conditions, action }) =>
      list(conditions).every((each) =>
        /^(?:duplicate|undefined)_(?:object|table|column|schema)$/.test(
          String(at(each, 'PLpgSQL_condition')['condname']),
        ),
      ) && list(action).every((each) => 'PLpgSQL_stmt_raise' in each && !isError(at(each, 'PLpgSQL_stmt_raise'))),
  );
}

function queryOf(holder: unknown): string {
  const { query } = at(holder, 'PLpgSQL_expr');
  return typeof query === 'string' ? query : '';
}

/** Of one step; none where it has none, and where what it runs is put together by the block all is lost. */
function statementsOf(kind: string, fields: Fields, { schema, statement }: Place): Statement[] {
  const text =
    kind === 'PLpgSQL_stmt_dynexecute'
      ? constantText(queryOf(fields['query']))
      : queryOf(fields['sqlstmt'] ?? fields['expr']);
  const parsed = text === undefined ? undefined : tryParse(text);
  if (text === undefined || !parsed || !('statements' in parsed)) {
    schema.lost = true;
    return [];
  }
  const source = new Source(statement.source.path, text);
  const end = Buffer.byteLength(text);
  return parsed.statements.flatMap(({ stmt, stmt_location: start = 0, stmt_len: length }) =>
    stmt ? [new Statement(source, stmt, { start, end: length === undefined ? end : start + length })] : [],
  );
}

/** What may run and may not: whatever it names that has to do with a schema may become something else. */
function perhaps(step: unknown, place: Place): void {
  if (typeof step !== 'object' || step === null) return;
  for (const [kind, fields] of Object.entries(step)) {
    if (kind === 'PLpgSQL_stmt_dynfors') place.schema.lost = true;
    if (/^PLpgSQL_stmt_(?:execsql|dynexecute|call)$/.test(kind))
      for (const statement of statementsOf(kind, fields as Fields, place)) doubt(statement, place);
    else perhaps(fields, place);
  }
}

function doubt(statement: Statement, { schema }: Place): void {
  schema.hasSaid(statement);
  if (!changesSchema(statement)) return;
  schema.doubtNamed(wordsOf(statement.text));
}
