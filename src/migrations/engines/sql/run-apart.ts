import { asLogin, rows, withFixedPath, withTransaction, type Client } from '../../../postgres/client.ts';
import { ident } from '../../../postgres/quote.ts';
import type { Book } from './book.ts';
import { transactionsOf, type SqlFile } from './file.ts';
import { isTermination } from '../statement-failed.ts';
import { commitsItself } from '../../data/refusals.ts';
import { retryLocks } from './retry-locks.ts';
import { onLiveBefore, placedAt, together, runWatched, type FileTarget, type Placed } from './run-statements.ts';

const again = 'will not run again. The candidate can be resumed: fix this statement and migrate again.';
const resumed = `The statements before it are applied and ${again}`;
const unitResumed = `Its transaction is taken back; what is before that in the file is applied and ${again}`;

/**
 * Each of the file's own transactions, and outside of them each statement, counts for itself; how many statements are
 * done is written down with it, or right after what takes no transaction.
 */
export async function eachApart(target: FileTarget, file: SqlFile, book: Book): Promise<void> {
  const { client } = target;
  const known = await asLogin(client, async () => {
    await client.query(
      `INSERT INTO verdigris.migration (version, name, checksum, release) VALUES ($1, $2, $3, $4)
      ON CONFLICT (version) DO UPDATE SET checksum = excluded.checksum WHERE verdigris.migration.statements_done = 0`,
      [file.version, file.name, file.checksum, target.release],
    );
    const [found] = await rows<{ done: number }>(
      client,
      'SELECT statements_done AS done FROM verdigris.migration WHERE version = $1',
      [file.version],
    );
    return found;
  });
  const units = transactionsOf({ statements: placedAt(file), transactional: false });
  const isDone = (unit: readonly Placed[]): boolean => (unit.at(-1)?.position ?? 0) < (known?.done ?? 0);
  for (const { setting, text } of units.filter(isDone).flat()) if (setting && !setting.local) await client.query(text);
  for (const unit of units.filter((each) => !isDone(each)))
    await retryLocks(target, file, () => onItsOwn(target, file, unit));
  await withTransaction(client, () => book.ran(client, file));
}

/** One of a file's own transactions, or a statement outside of them. */
async function onItsOwn(target: FileTarget, file: SqlFile, unit: readonly Placed[]): Promise<void> {
  const { client } = target;
  const [statement, last] = [unit[0], unit.at(-1)];
  if (!statement || !last) return;
  const done = (): Promise<unknown> =>
    asLogin(client, () =>
      client.query('UPDATE verdigris.migration SET statements_done = $2 WHERE version = $1', [
        file.version,
        last.position + 1,
      ]),
    );
  if (statement.concurrentIndex) await dropInvalid(client, statement.concurrentIndex);
  await onLiveBefore(target, unit);
  const shares = statement.transaction !== undefined;
  const commits = statement.data?.mayCommit === true && statement.note?.place === 'candidate';
  if (shares || (statement.data && !commits)) {
    const run = async (): Promise<void> => {
      await together(target, file, unit, shares ? unitResumed : resumed);
      await done();
    };
    await withTransaction(client, run).catch((error: unknown) => {
      if (isTermination(error) && statement.data?.mayCommit === true && !shares) throw commitsItself(statement);
      throw error;
    });
    return;
  }
  if (statement.note?.place !== 'live' || !target.data) await runWatched(target, file, statement, resumed);
  await done();
}

/** What CREATE INDEX CONCURRENTLY leaves when it is cut short. */
async function dropInvalid(client: Client, name: string): Promise<void> {
  const left = await withFixedPath(client, () =>
    rows<{ schema: string }>(
      client,
      `
    SELECT n.nspname AS schema FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = $1 AND NOT i.indisvalid AND n.nspname NOT LIKE 'pg\\_%'`,
      [name],
    ),
  );
  for (const { schema } of left) await client.query(`DROP INDEX ${ident(schema, name)}`);
}
