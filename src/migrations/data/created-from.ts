import type { Node } from 'libpg-query';
import { fieldsOf, tagOf, walk, type Of } from '../lint/ast.ts';
import { tokensOf, type Token } from '../lint/tokens.ts';

/** A table that is made of other tables' rows, as the table and its rows: of these the place has to be decided. */
export interface CreatedFrom {
  readonly structure: string;
  readonly rows: string;
  /** `IF NOT EXISTS`: where there is such a table, it is left as it is. */
  readonly onlyIfNew?: { readonly schema: string | undefined; readonly name: string };
}

/** Undefined for what is no such statement, or makes a temporary table. */
export function createdFrom(node: Node, text: string): CreatedFrom | undefined {
  const tag = tagOf(node);
  if (tag === 'CreateTableAsStmt') {
    const { objtype, if_not_exists: maybe, into, query } = fieldsOf(node) as Of<'CreateTableAsStmt'>;
    if (objtype !== 'OBJECT_TABLE' || into?.skipData || !query || tagOf(query) !== 'SelectStmt') return undefined;
    if (!isKept(into?.rel?.relpersistence) || !readsTables(query)) return undefined;
    const onlyIfNew = maybe ? { schema: into?.rel?.schemaname, name: into?.rel?.relname ?? '' } : undefined;
    return ofCreate(text, onlyIfNew);
  }
  if (tag !== 'SelectStmt') return undefined;
  const { intoClause: into } = fieldsOf(node) as Of<'SelectStmt'>;
  return into && isKept(into.rel?.relpersistence) && readsTables(node, into.rel?.relname)
    ? ofSelectInto(text)
    : undefined;
}

function isKept(persistence: string | undefined): boolean {
  return persistence === 'p';
}

/** A function may read them. */
function readsTables(query: Node, made?: string): boolean {
  return [...walk([query])].some(
    ([tag, { relname }]) => tag === 'FuncCall' || (tag === 'RangeVar' && relname !== made),
  );
}

function ofCreate(text: string, onlyIfNew: CreatedFrom['onlyIfNew']): CreatedFrom | undefined {
  const { words, slice } = outermost(text);
  const as = words.findIndex((word) => is(word, 'as'));
  const made = words.findIndex((word) => is(word, 'table'));
  if (as < 0 || made < 0) return undefined;
  const withData = is(words.at(-2), 'with') && is(words.at(-1), 'data');
  const query = slice(words[as]?.end, withData ? words.at(-2)?.start : undefined);
  const structure = `${slice(0, words[as]?.end)}${query} WITH NO DATA`;
  if (!onlyIfNew) return { structure, rows: `INSERT INTO ${nameAt(words, made + 1, slice)}${query}` };
  // IF NOT EXISTS stands before the name. What an earlier file made and filled is not filled again.
  const name = nameAt(words, made + 4, slice);
  const rows = `INSERT INTO ${name} SELECT * FROM (${query}\n) AS made WHERE NOT EXISTS (SELECT FROM ${name})`;
  return { structure, rows, onlyIfNew };
}

function ofSelectInto(text: string): CreatedFrom | undefined {
  const { words, slice } = outermost(text);
  const into = words.findIndex((word) => is(word, 'into'));
  if (into < 0) return undefined;
  const at = is(words[into + 1], 'table') ? into + 2 : into + 1;
  const name = nameAt(words, at, slice);
  const query = `${slice(0, words[into]?.start)}${slice(words[endOfName(words, at)]?.end)}`;
  return { structure: `CREATE TABLE ${name} AS ${query} WITH NO DATA`, rows: `INSERT INTO ${name} ${query}` };
}

interface Outermost {
  /** Outside of parentheses, without comments. */
  readonly words: readonly Token[];
  readonly slice: (from: number | undefined, to?: number) => string;
}

function outermost(text: string): Outermost {
  const source = Buffer.from(text, 'utf8');
  let depth = 0;
  const words = tokensOf(text, 0).filter((token) => {
    if (token.comment) return false;
    if (token.text === ')') depth--;
    const outside = depth === 0 && token.text !== ')';
    if (token.text === '(') depth++;
    return outside && token.text !== '(';
  });
  return { words, slice: (from, to) => source.subarray(from, to).toString('utf8') };
}

function is(token: Token | undefined, word: string): boolean {
  return token?.text.toLowerCase() === word;
}

function endOfName(words: readonly Token[], at: number): number {
  return words[at + 1]?.text === '.' ? at + 2 : at;
}

function nameAt(words: readonly Token[], at: number, slice: Outermost['slice']): string {
  return slice(words[at]?.start, words[endOfName(words, at)]?.end);
}
