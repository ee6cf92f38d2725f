import { withTransaction } from '../../../postgres/client.ts';
import { literal } from '../../../postgres/quote.ts';
import { refuseComputed } from '../../data/computed.ts';
import { settingsNow } from '../../session-settings.ts';
import type { Book } from './book.ts';
import type { SqlFile } from './file.ts';
import { retryLocks } from './retry-locks.ts';
import { eachApart } from './run-apart.ts';
import { onLiveBefore, placedAt, together, type FileTarget } from './run-statements.ts';
import { unwatched } from './watch.ts';

const untouched =
  'Nothing of this file is applied; the files before it are. The candidate can be resumed: fix the file and migrate again.';

/** Runs one file as its target says, and writes down in the book what of it has run. */
export async function applyFile(target: FileTarget, file: SqlFile, book: Book): Promise<void> {
  const { client, data } = target;
  const statements = placedAt(file);
  if (data) for (const statement of statements) refuseComputed(statement, data.live);
  const asBefore = await settingsNow(client);
  await client.query(
    `SET lock_timeout = ${target.lockTimeout}; SET statement_timeout = ${target.statementTimeout}; SET role = ${literal(target.as ?? 'none')}`,
  );
  try {
    const watch = target.watch ?? unwatched;
    if (file.transactional) {
      await onLiveBefore(target, statements);
      const whole = async (): Promise<void> => {
        await together(target, file, statements, untouched);
        await book.ran(client, file);
      };
      await retryLocks(target, file, () => watch.file(client, file, () => withTransaction(client, whole)));
    } else await watch.file(client, file, () => eachApart(target, file, book));
  } finally {
    await client
      .query('RESET role')
      .then(asBefore)
      .catch(() => undefined);
  }
}
