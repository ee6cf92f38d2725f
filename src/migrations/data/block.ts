import { parse, parsePlPgSQL, type Node } from 'libpg-query';
import { constantText } from '../lint/constant-text.ts';
import { readData, readMade, writesOf, type DataStatement } from './read.ts';

/** What a DO block may write: by the statements in it, and by the text of those that it puts together itself. */
export async function readBlock(text: string): Promise<DataStatement> {
  const block = await parsePlPgSQL(text).catch(() => undefined);
  const queries = [...queriesIn(block)];
  // Of another language only the text is known.
  if (block === undefined) queries.push(text);
  const found = await Promise.all(queries.map(readQuery));
  return {
    targets: found.flatMap(({ targets }) => targets),
    reads: found.flatMap(({ reads }) => reads),
    opaque: true,
    changesSchema: found.some(({ changesSchema }) => changesSchema),
    mayCommit: false,
  };
}

const definition = /\b(?:create|alter|drop|grant|revoke|comment\s+on)\b/i;
/** What a block may hold besides what writes rows, and is no definition. */
const harmless = ['SelectStmt', 'VariableSetStmt', 'LockStmt', 'ExplainStmt'];

async function readQuery(text: string): Promise<Pick<DataStatement, 'targets' | 'reads' | 'changesSchema'>> {
  const { stmts } = (await parse(text).catch(() => ({ stmts: undefined }))) as { stmts?: { stmt?: Node }[] };
  const constant = stmts ? undefined : constantText(text);
  if (constant !== undefined && constant !== text) return readQuery(constant);
  // An expression: what it says may be what is executed.
  if (!stmts) return { targets: writesOf(text), reads: [], changesSchema: definition.test(text) };
  const nodes = stmts.flatMap(({ stmt }) => (stmt ? [stmt] : []));
  const data = nodes.map((node) => readData(node));
  const made = nodes.flatMap((node) => readMade(node) ?? []);
  // Whoever holds the block back holds its temporary tables back with it.
  const temporary = (node: Node): boolean =>
    readMade(node)?.targets.every(({ schema }) => schema === 'pg_temp') === true;
  return {
    targets: [...data, ...made].flatMap((each) => each?.targets ?? []),
    reads: [...data, ...made].flatMap((each) => each?.reads ?? []),
    changesSchema: nodes.some(
      (node, index) => !data[index] && !temporary(node) && !harmless.includes(Object.keys(node)[0] ?? ''),
    ),
  };
}

function* queriesIn(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'query' && typeof inner === 'string') yield inner;
    else yield* queriesIn(inner);
  }
}
