import { loadModule } from 'libpg-query';
import { readTables, type Table } from '../../postgres/catalogue.ts';
import { rows, type Client } from '../../postgres/client.ts';
import { readSchema, type SchemaObject } from '../../postgres/fingerprint/index.ts';
import { readViewTables } from '../../postgres/row-reads.ts';
import type { SqlFile } from '../engines/sql/file.ts';
import type { Of } from '../lint/ast.ts';
import { statementsThatStay } from '../lint/lint-file.ts';
import { bodyOf } from '../lint/plpgsql.ts';
import { Source } from '../lint/source.ts';
import type { Statement } from '../lint/statement.ts';
import { foreseeBlock } from './block.ts';
import { answersOf } from './condition.ts';
import { ForeseenSchema } from './schema.ts';
import { foreseeStatement } from './statements.ts';
import { typesOf } from './type-of.ts';

/** What the files lead to, as far as their text shows, from what the live colour has. */
export interface SchemaToCome {
  readonly before: { readonly tables: readonly Table[]; readonly schema: readonly SchemaObject[] };
  readonly after: { readonly tables: readonly Table[]; readonly schema: readonly SchemaObject[] };
  /** Whether what is found of an object between the two will be found after the run too. */
  readonly isSure: (object: string, id: string) => boolean;
}

/** Words of a function's source that may change a schema when it is called. */
const changing = /\b(?:alter|create|drop|rename|execute)\b/i;

/**
 * Reads the pending files over the live colour's catalogue, in their order, and runs none: what is certain by their
 * text alone is known before a seed. What code decides when it runs is in doubt.
 */
export async function schemaToCome(
  live: Client,
  pending: readonly Pick<SqlFile, 'path' | 'bytes'>[],
): Promise<SchemaToCome> {
  await loadModule();
  const before = { tables: await readTables(live), schema: await readSchema(live) };
  const schema = new ForeseenSchema(before.tables, before.schema, await readViewTables(live));
  const [typeOf, answerOf] = [typesOf(live), answersOf(live, (asked) => schema.isUntouched(asked))];
  const callable = await changingFunctions(live);
  for (const { path, bytes } of pending) {
    schema.path = undefined;
    for (const statement of statementsThatStay(new Source(path, bytes))) {
      if (statement.tag === 'CreateFunctionStmt') learnFunction(statement, callable);
      else if (mayCall.has(statement.tag)) judgeCalls(statement, schema, callable);
      const place = { schema, statement, typeOf, answerOf };
      if (statement.tag === 'DoStmt') await foreseeBlock(place);
      else {
        schema.hasSaid(statement);
        await foreseeStatement(place);
      }
    }
  }
  return {
    before,
    after: { tables: schema.tables, schema: schema.objects },
    isSure: (object, id) => schema.isSure(object, id),
  };
}

const mayCall: ReadonlySet<string> = new Set([
  ...['SelectStmt', 'CallStmt', 'DoStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt', 'ExecuteStmt'],
]);

/** Of the live colour, by their names; those too that call one. */
async function changingFunctions(live: Client): Promise<Set<string>> {
  const all = await rows<{ name: string; source: string }>(
    live,
    `SELECT lower(p.proname) AS name, lower(p.prosrc) AS source FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_language l ON l.oid = p.prolang WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
    AND l.lanname NOT IN ('c', 'internal')`,
  );
  const found = new Set(all.flatMap(({ name, source }) => (changing.test(source) ? [name] : [])));
  const others = all.flatMap(({ name, source }) => (found.has(name) ? [] : [{ name, words: wordsIn(source) }]));
  for (let known = -1; known < found.size;) {
    known = found.size;
    for (const { name, words } of others) if (words.some((word) => found.has(word))) found.add(name);
  }
  return found;
}

function wordsIn(text: string): readonly string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}_$]+/gu) ?? [];
}

function learnFunction(statement: Statement, callable: Set<string>): void {
  const node = statement.fields as Of<'CreateFunctionStmt'>;
  const body = bodyOf(statement, node);
  const name = JSON.stringify(node.funcname ?? []).match(/"sval":"([^"]+)"\}\}\]$/)?.[1];
  const changes = !body || changing.test(body.text) || wordsIn(body.text).some((word) => callable.has(word));
  if (name !== undefined && changes) callable.add(name.toLowerCase());
}

/** A word of its text may be such a function, called: what it does then depends on what it is given. */
function judgeCalls(statement: Statement, schema: ForeseenSchema, callable: ReadonlySet<string>): void {
  if (wordsIn(statement.text).some((word) => callable.has(word))) schema.lost = true;
}
