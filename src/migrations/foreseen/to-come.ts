import { loadModule } from 'libpg-query';
import { readTables, type Table } from '../../postgres/catalogue.ts';
import type { Client } from '../../postgres/client.ts';
import { readSchema, type SchemaObject } from '../../postgres/fingerprint/index.ts';
import { readViewTables, type ViewTables } from '../../postgres/row-reads.ts';
import type { SqlFile } from '../engines/sql/file.ts';
import type { Of } from '../lint/ast.ts';
import { statementsThatStay } from '../lint/lint-file.ts';
import { ownTransactions } from '../own-transactions.ts';
import { bodyOf } from '../lint/plpgsql.ts';
import { Source } from '../lint/source.ts';
import type { Statement } from '../lint/statement.ts';
import { foreseeBlock } from './block.ts';
import { mayChangeSchema, readChangingCode, type ChangingCode } from './changing-code.ts';
import { answersOf } from './condition.ts';
import { wordsOf } from './names.ts';
import type { Running } from './needs/need.ts';
import { unmetNeeds, type Failing } from './needs/unmet.ts';
import { ForeseenSchema } from './schema.ts';
import { foreseeStatement } from './statements.ts';
import { typesOf } from './type-of.ts';

/** What the files lead to, as far as their text shows, from what the live colour has. */
export interface SchemaToCome {
  readonly before: { readonly tables: readonly Table[]; readonly schema: readonly SchemaObject[] };
  readonly after: { readonly tables: readonly Table[]; readonly schema: readonly SchemaObject[] };
  /** Whether what is found of an object between the two will be found after the run too. */
  readonly isSure: (object: string, id: string) => boolean;
  readonly failing: readonly Failing[];
}

/** A file as it will run. */
export type FileToCome = Pick<SqlFile, 'path' | 'bytes'> &
  Partial<Pick<SqlFile, 'superuser' | 'transactional' | 'statements'>>;

/** What is read of a live colour before the files are. */
export interface SchemaNow {
  readonly tables: readonly Table[];
  readonly schema: readonly SchemaObject[];
  readonly views: readonly ViewTables[];
  /** What may change the schema beside what a statement says. */
  readonly code: ChangingCode;
}

export async function readNow(live: Client): Promise<SchemaNow> {
  return {
    tables: await readTables(live),
    schema: await readSchema(live),
    views: await readViewTables(live),
    code: await readChangingCode(live),
  };
}

/**
 * Reads the pending files over the live colour's catalogue, in their order, and runs none: what is certain by their
 * text alone is known before a seed. What code decides when it runs is in doubt.
 */
export async function schemaToCome(
  live: Client,
  pending: readonly FileToCome[],
  running: Running,
  now: SchemaNow,
): Promise<SchemaToCome> {
  await loadModule();
  const schema = new ForeseenSchema(now.tables, now.schema, now.views, running.place);
  const [typeOf, answerOf] = [typesOf(live), answersOf(live, (asked) => schema.isUntouched(asked))];
  schema.isWatched = now.code.watchesDdl;
  const callable = new Set(now.code.called);
  const failing: Failing[] = [];
  const fails = await unmetNeeds(live, schema, running);
  for (const { path, bytes, superuser = false, transactional = true, statements: read = [] } of pending) {
    schema.path = undefined;
    const statements = statementsThatStay(new Source(path, bytes));
    const own = ownTransactions(statements.map(({ node }) => node));
    for (const [index, statement] of statements.entries()) {
      if (statement.tag === 'CreateFunctionStmt') learnFunction(statement, callable);
      else if (mayCall.has(statement.tag)) judgeCalls(statement, schema, callable);
      const { line } = statement.source.position(statement.range.start);
      const inTransaction = transactional || ('of' in own && own.of[index] !== undefined);
      const noted = read.some((each) => each.line === line && each.note?.place === 'candidate');
      const judge = async (each: Statement): Promise<void> => {
        failing.push(...(await fails(each, { superuser, mayCommit: noted && !inTransaction, of: statement })));
      };
      const place = { schema, statement, typeOf, answerOf, judge };
      if (statement.tag === 'DoStmt') await foreseeBlock(place);
      else {
        const before = failing.length;
        await judge(statement);
        schema.hasSaid(statement);
        // What fails changes nothing.
        if (failing.length === before) await foreseeStatement(place);
      }
    }
  }
  return {
    before: now,
    after: { tables: schema.tables, schema: schema.objects },
    isSure: (object, id) => schema.isSure(object, id),
    failing,
  };
}

const mayCall: ReadonlySet<string> = new Set([
  ...['SelectStmt', 'CallStmt', 'DoStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt', 'ExecuteStmt'],
]);

function learnFunction(statement: Statement, callable: Set<string>): void {
  const node = statement.fields as Of<'CreateFunctionStmt'>;
  const body = bodyOf(statement, node);
  const name = JSON.stringify(node.funcname ?? []).match(/"sval":"([^"]+)"\}\}\]$/)?.[1];
  const changes = !body || mayChangeSchema(body.text) || [...wordsOf(body.text)].some((word) => callable.has(word));
  if (name !== undefined && changes) callable.add(name.toLowerCase());
}

/** A word of its text may be such a function, called: what it does then depends on what it is given. */
function judgeCalls(statement: Statement, schema: ForeseenSchema, callable: ReadonlySet<string>): void {
  if ([...wordsOf(statement.text)].some((word) => callable.has(word))) schema.lost = true;
}
