import { parse, type Node as PgNode } from 'libpg-query';
import { whyForbidden } from '../../forbidden.ts';
import { badPlaceNote, placeNotesOf, writesNoRows, type PlaceNote } from '../../data/note.ts';
import { readBlock } from '../../data/block.ts';
import { computedBy, type Computed } from '../../data/computed.ts';
import { createdFrom } from '../../data/created-from.ts';
import { fileSetting, type FileSetting } from '../../data/file-settings.ts';
import { readFill } from '../../data/fill.ts';
import { readData, writesRows, type DataStatement } from '../../data/read.ts';
import { referencesIn, type ReferenceChange } from '../../data/references.ts';
import { SessionObjects } from '../../data/session-objects.ts';
import { triggerSwitches, type TriggerSwitch } from '../../data/trigger-switches.ts';
import { strings } from '../../lint/ast.ts';
import { tokensOf } from '../../lint/tokens.ts';
import { undoneStatements } from '../../savepoints.ts';
import { asksForSuperuser } from '../../superuser-note.ts';
import { insideTransaction, isSavepoint, outsideTransaction } from '../../outside-transaction.ts';
import { ownTransactions } from '../../own-transactions.ts';
import { utf8Text } from './decode.ts';
import { forbidden, unparsed } from './invalid.ts';

export interface SqlStatement {
  readonly text: string;
  /** Counted from 1, of the statement's first character. */
  readonly line: number;
  readonly transactional: boolean;
  /** The name of an index built CONCURRENTLY: where that is cut short it leaves an invalid index of this name. */
  readonly concurrentIndex?: string | undefined;
  /** The same inside a transaction, where there is one: what is made CONCURRENTLY, without that word. */
  readonly plain?: string | undefined;
  /** The value of ALTER TYPE … ADD VALUE, which can be used once it is committed; none where the script makes the type. */
  readonly addsEnumValue?: AddedValue | undefined;
  /** Foreign keys that it makes or drops. */
  readonly references?: ReferenceChange | undefined;
  /** Triggers that it disables or enables. */
  readonly triggers?: readonly TriggerSwitch[];
  /** It works only inside of a transaction. */
  readonly onlyInside?: boolean;
  /** SAVEPOINT, RELEASE or ROLLBACK TO. */
  readonly savepoint?: boolean;
  /** Where it may write rows. */
  readonly data?: DataStatement | undefined;
  readonly note?: PlaceNote | undefined;
  /** Which of the file's own transactions it is in, where these are not one around the whole file. */
  readonly transaction?: number | undefined;
  /** What the file sets before it. */
  readonly sets?: readonly FileSetting[];
  /** What it sets itself. */
  readonly setting?: FileSetting | undefined;
  /** A column that it computes again. */
  readonly computed?: Computed | undefined;
}

export interface AddedValue {
  readonly value: string;
  /** Without its schema. */
  readonly type: string;
}

type Node = Record<string, Record<string, unknown>>;

export interface Script {
  readonly statements: readonly SqlStatement[];
  /** One transaction by its own words: its BEGIN and COMMIT are taken off, as those of several are. */
  readonly ownTransaction: boolean;
  /** Its author asks for a superuser, with a reason. */
  readonly superuser: boolean;
}

/** The statements of `readScript`. */
export async function parseScript(bytes: Uint8Array, file: string): Promise<readonly SqlStatement[]> {
  return (await readScript(bytes, file)).statements;
}

/**
 * Splits a script by PostgreSQL's own parser. Refuses what a migration must not do: end the runner's transaction, leave
 * the database.
 */
export async function readScript(bytes: Uint8Array, file: string): Promise<Script> {
  const text = utf8Text(bytes, file);
  // The parser takes no query that is empty.
  if (text.trim() === '') return { statements: [], ownTransaction: false, superuser: false };
  const parsed = await parse(text).catch((cause: unknown) => {
    throw unparsed(file, text, cause);
  });
  const source = Buffer.from(text, 'utf8');
  const statements: SqlStatement[] = [];
  const all = (parsed.stmts ?? []) as { stmt?: unknown; stmt_location?: number; stmt_len?: number }[];
  const own = ownTransactions(all.map(({ stmt }) => stmt as PgNode));
  const ranges = all.map(({ stmt_location: start = 0, stmt_len: length }) => {
    const end = length ? start + length : source.length;
    const piece = source.subarray(start, end).toString('utf8');
    return { start: start + Buffer.byteLength(piece) - Buffer.byteLength(piece.trimStart()), end };
  });
  const lineOf = linesOf(source);
  if ('why' in own) throw forbidden(file, lineOf(ranges[own.at]?.start ?? 0), own.why);
  const notes = new Map<number, PlaceNote>();
  let sets: readonly FileSetting[] = [];
  const session = new SessionObjects();
  const undone = undoneStatements(all.map(({ stmt }) => stmt as PgNode));
  for (const { range, text: said, of } of placeNotesOf(text, ranges)) {
    const line = lineOf(range.start);
    if ('why' in of) throw badPlaceNote(file, line, said, of.why);
    const node = all[of.statement]?.stmt as PgNode;
    if (!writesRows(node, source.subarray(ranges[of.statement]?.start, ranges[of.statement]?.end).toString('utf8')))
      throw badPlaceNote(file, line, said, writesNoRows);
    notes.set(of.statement, of.note);
  }
  for (const [index, raw] of all.entries()) {
    const { start: begin = 0, end = 0 } = ranges[index] ?? {};
    const piece = source.subarray(begin, end).toString('utf8');
    const line = lineOf(begin);
    const node = raw.stmt as Node;
    if (own.controls.has(index)) {
      // SET LOCAL ends with its transaction.
      sets = sets.filter(({ local }) => !local);
      if ((node['TransactionStmt']?.['kind'] ?? '') === 'TRANS_STMT_COMMIT') session.commit();
      continue;
    }
    const note = notes.get(index);
    refuseForbidden(file, line, raw.stmt as PgNode, piece);
    const transactional = !outsideTransaction(raw.stmt as PgNode);
    const transaction = own.whole ? undefined : own.of[index];
    if (!transactional && own.of[index] !== undefined)
      throw forbidden(file, line, 'cannot run inside a transaction, and the file begins one');
    const sql = piece.trim();
    // It runs here, like the way back behind it: its rows have no other place, and what it sets or makes is gone.
    if (undone.has(index)) {
      statements.push({
        text: sql,
        line,
        transactional,
        transaction,
        onlyInside: insideTransaction(raw.stmt as PgNode),
        savepoint: isSavepoint(raw.stmt as PgNode),
      });
      continue;
    }
    const made = createdFrom(raw.stmt as PgNode, sql);
    if (made) {
      const rows = (await parse(made.rows)).stmts?.[0]?.stmt as PgNode;
      statements.push(
        { text: made.structure, line, transactional, transaction },
        {
          text: made.rows,
          line,
          transactional,
          transaction,
          data: session.placed(rows, await dataOf(rows, made.rows, made.onlyIfNew)),
          note,
          sets,
        },
      );
      continue;
    }
    const setting = fileSetting(raw.stmt as PgNode, sql);
    statements.push({
      text: sql,
      line,
      transactional,
      concurrentIndex: concurrentIndex(node),
      plain: transactional ? undefined : plain(node, sql),
      addsEnumValue: addedValue(node, () =>
        all.slice(0, index).flatMap(({ stmt }, before) => (undone.has(before) ? [] : [stmt as Node])),
      ),
      references: referencesIn(raw.stmt as PgNode),
      triggers: triggerSwitches(raw.stmt as PgNode),
      onlyInside: insideTransaction(raw.stmt as PgNode),
      savepoint: isSavepoint(raw.stmt as PgNode),
      computed: computedBy(raw.stmt as PgNode),
      data: session.placed(raw.stmt as PgNode, await dataOf(raw.stmt as PgNode, sql)),
      note,
      transaction,
      sets,
      setting,
    });
    if (setting) sets = [...sets, setting];
  }
  return { statements, ownTransaction: own.whole, superuser: asksForSuperuser(text, file) };
}

/** The line, counted from 1, that a byte is in: asked of each statement, of files with many thousands. */
function linesOf(source: Buffer): (byte: number) => number {
  const starts = [0];
  for (let at = source.indexOf(10); at >= 0; at = source.indexOf(10, at + 1)) starts.push(at + 1);
  return (byte) => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= byte) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  };
}

function addedValue(node: Node, before: () => readonly Node[]): AddedValue | undefined {
  const change = node['AlterEnumStmt'];
  if (typeof change?.['newVal'] !== 'string' || change['oldVal'] !== undefined) return undefined;
  const name = JSON.stringify(change['typeName']);
  if (before().some((each) => JSON.stringify(each['CreateEnumStmt']?.['typeName']) === name)) return undefined;
  return { value: change['newVal'], type: strings(change['typeName'] as PgNode[]).at(-1) ?? '' };
}

function concurrentIndex(node: Node): string | undefined {
  const body = node['IndexStmt'];
  return body?.['concurrent'] === true && typeof body['idxname'] === 'string' ? body['idxname'] : undefined;
}

async function dataOf(
  node: PgNode,
  text: string,
  onlyIfNew?: DataStatement['onlyIfNew'],
): Promise<DataStatement | undefined> {
  if ('DoStmt' in node) return readBlock(text);
  const data = readData(node, 'UpdateStmt' in node ? await readFill(node.UpdateStmt, text) : undefined);
  return data && onlyIfNew ? { ...data, onlyIfNew } : data;
}

/** An index made or dropped CONCURRENTLY, as a transaction takes it. */
function plain(node: Node, text: string): string | undefined {
  if (!node['IndexStmt'] && !node['DropStmt']) return undefined;
  const word = tokensOf(text, 0).find((token) => !token.comment && /^concurrently$/i.test(token.text));
  if (!word) return undefined;
  const bytes = Buffer.from(text, 'utf8');
  return `${bytes.subarray(0, word.start).toString('utf8')}${bytes.subarray(word.end).toString('utf8')}`;
}

function refuseForbidden(file: string, line: number, node: PgNode, text: string): void {
  const why = whyForbidden(node, text);
  if (why !== undefined) throw forbidden(file, line, why);
}
