import type { Client } from '../../postgres/client.ts';
import { literal } from '../../postgres/quote.ts';
import { settingsNow } from '../session-settings.ts';
import { isTermination, statementFailed } from './statement-failed.ts';
import type { SqlStatement } from './sql/parse.ts';

const rolledBack =
  'It was tried in a transaction that is rolled back: nothing is applied. Fix the file and migrate again.';

/** SQLSTATE unsafe_new_enum_value_usage: the value is usable once the transaction that added it has committed. */
const unsafeEnumValue = '55P04';

/** Class of SQLSTATE integrity_constraint_violation. */
const integrity = '23';

interface TriedFile {
  readonly path: string;
  readonly statements: readonly SqlStatement[];
  /** It runs without a transaction. */
  readonly apart?: boolean;
}

/**
 * Tries files one after another inside the caller's transaction, which is rolled back. What cannot run in one is left
 * out, an index made CONCURRENTLY is made without. A statement that uses an enum value which an earlier one adds is
 * left out too, and said, and so is every later one that fails: it may have needed the one before. Rows that meet a
 * constraint are left out without a word: tables are emptied or copies are behind, and whether they fit is tried where
 * the statement runs.
 */
export async function tryStatements(
  client: Client,
  say: (text: string) => void = () => undefined,
): Promise<(file: TriedFile, owner: string | undefined) => Promise<void>> {
  const asBefore = await settingsNow(client);
  let guarded = false;
  let left = false;
  const run = async ({ path, apart }: TriedFile, statement: SqlStatement, owner: string | undefined): Promise<void> => {
    const text = statement.transactional ? statement.text : statement.plain;
    if (text === undefined) return;
    const writes = statement.data?.changesSchema === false;
    const mayCommit = statement.data?.mayCommit === true;
    const savepoint = !statement.savepoint && (guarded || writes || mayCommit);
    if (savepoint) await client.query('SAVEPOINT tried');
    try {
      await client.query(text);
      if (savepoint) await client.query('RELEASE SAVEPOINT tried');
    } catch (cause) {
      const { code = '' } = cause as { code?: string };
      const constrained = writes && code.startsWith(integrity);
      const unable = apart === true && mayCommit && isTermination(cause);
      if (!savepoint || (!constrained && !unable && !(guarded && (left || code === unsafeEnumValue))))
        throw statementFailed({ ...statement, path }, rolledBack, cause, owner);
      await client.query('ROLLBACK TO SAVEPOINT tried');
      if (constrained) return;
      left = true;
      guarded ||= unable;
      say(`${path}:${statement.line} cannot be tried beforehand: ${(cause as Error).message}`);
    }
    guarded ||= statement.addsEnumValue !== undefined;
  };
  return async (file, owner) => {
    const { statements } = file;
    const become = (): Promise<unknown> => client.query(`SET LOCAL role = ${literal(owner ?? 'none')}`);
    await become();
    for (const [index, statement] of statements.entries()) {
      await run(file, statement, owner);
      const { transaction, sets = [], setting } = statement;
      if (transaction === undefined || statements[index + 1]?.transaction === transaction) continue;
      // What it set by SET LOCAL has ended with its own transaction.
      await client.query('RESET role').then(asBefore).then(become);
      for (const each of [...sets, ...(setting ? [setting] : [])]) if (!each.local) await client.query(each.text);
    }
    await client.query('RESET role').then(asBefore);
  };
}
