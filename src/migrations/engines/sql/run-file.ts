import { statementFailed } from '../statement-failed.ts';
import path from 'node:path';
import { VerdigrisError } from '../../../model/errors.ts';
import { asLogin, rows, withFixedPath, withTransaction, type Client } from '../../../postgres/client.ts';
import { ident, literal } from '../../../postgres/quote.ts';
import type { MigrationTarget } from '../../engine.ts';
import { settingsNow } from '../../session-settings.ts';
import { tryHeld } from '../../data/held.ts';
import type { FromFile } from '../../data/statement.ts';
import { refuseComputed } from '../../data/computed.ts';
import { isThere } from '../../data/judge.ts';
import { sourceLine } from '../../data/refusals.ts';
import { runInPlace } from '../../data/place.ts';
import type { Book } from './book.ts';
import { transactionsOf, type SqlFile } from './file.ts';
import type { SqlStatement } from './parse.ts';
import { unwatched, type WatchedTarget } from './watch.ts';

/** Attempts at a migration that did not get its lock in time; apply holds locks on the candidate for moments only. */
const lockAttempts = 10;

/** As a file is run: `client` is its own session, the owner's where the file does not ask for the operator's. */
interface FileTarget extends WatchedTarget {
  readonly as: string | undefined;
  readonly operator: Client;
}

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
    } else await watch.file(client, file, () => oneByOne(target, file, book));
  } finally {
    await client
      .query('RESET role')
      .then(asBefore)
      .catch(() => undefined);
  }
}

/** Before the locks of what runs here: what they write there has to arrive. */
async function onLiveBefore({ data, as }: FileTarget, statements: readonly Placed[]): Promise<void> {
  for (const statement of statements) if (statement.note?.place === 'live') await data?.onLive(statement, as);
}

const untouched =
  'Nothing of this file is applied; the files before it are. The candidate can be resumed: fix the file and migrate again.';

type Placed = FromFile & SqlStatement;

function placedAt(file: SqlFile): Placed[] {
  return file.statements.map((statement, position) => ({
    ...statement,
    // Without a transaction SET LOCAL sets nothing.
    sets: (statement.sets ?? []).filter(
      ({ local }) => file.transactional || statement.transaction !== undefined || !local,
    ),
    position,
    version: file.version,
    file: path.basename(file.path),
  }));
}

/** Inside a transaction: those that share it, each in its place. `state` says what is true where one fails. */
async function together(
  target: FileTarget,
  file: SqlFile,
  statements: readonly Placed[],
  state: string,
): Promise<void> {
  let kept: Placed | undefined;
  for (const statement of statements) {
    const said = kept
      ? `${state} ${sourceLine(kept)} is held back until the switchover: where this needs what it writes, a ` +
        'note gives that another place (docs/migrations.md).'
      : state;
    if (await inPlace(target, file, statement, () => watched(target, file, statement, said))) kept ??= statement;
  }
  await settled(target, { ...statements.at(-1), path: file.path }, state);
  if (kept && target.data) await tryHeld(target.client, target.data.limits, state);
}

/**
 * Inside a transaction: runs a statement here, or leaves it to the place where its rows belong. True where it was kept
 * for the switchover.
 */
async function inPlace(
  { client, data: policy, release, owner, operator }: FileTarget,
  { superuser }: SqlFile,
  { data, ...statement }: Placed,
  run: () => Promise<void>,
): Promise<boolean> {
  if (policy && data && isThere(data, policy.live)) return false;
  if (policy && data)
    return runInPlace(
      { client, operator, policy, release, superuser: superuser && owner !== undefined },
      { ...statement, data },
      run,
    );
  await run();
  return false;
}

const again = 'will not run again. The candidate can be resumed: fix this statement and migrate again.';
const resumed = `The statements before it are applied and ${again}`;
const unitResumed = `Its transaction is taken back; what is before that in the file is applied and ${again}`;

/**
 * Each of the file's own transactions, and outside of them each statement, counts for itself; how many statements are
 * done is written down with it, or right after what takes no transaction.
 */
async function oneByOne(target: FileTarget, file: SqlFile, book: Book): Promise<void> {
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
  // A procedure may commit, which it cannot inside a transaction.
  if (shares || (statement.data && !statement.data.mayCommit)) {
    await withTransaction(client, async () => {
      await together(target, file, unit, shares ? unitResumed : resumed);
      await done();
    });
    return;
  }
  if (statement.note?.place !== 'live' || !target.data) await watched(target, file, statement, resumed);
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

async function watched(
  { client, as, signal, watch = unwatched }: FileTarget,
  file: SqlFile,
  statement: SqlStatement,
  state: string,
): Promise<void> {
  signal.throwIfAborted();
  try {
    await watch.statement(client, file, statement, async () => {
      await client.query(statement.text);
    });
  } catch (cause) {
    throw statementFailed({ ...statement, path: file.path }, state, cause, as);
  }
}

/** What a constraint or a trigger says at the end of the transaction, said of its last statement. */
async function settled(
  { client, as }: FileTarget,
  last: Partial<SqlStatement> & Pick<SqlFile, 'path'>,
  state: string,
): Promise<void> {
  await client.query('SET CONSTRAINTS ALL IMMEDIATE').catch((cause: unknown) => {
    throw statementFailed({ line: 1, text: '', ...last }, state, cause, as);
  });
}

async function retryLocks(target: MigrationTarget, file: SqlFile, work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof VerdigrisError) || error.id !== 'migration-lock' || attempt === lockAttempts) throw error;
      target.signal.throwIfAborted();
      target.onProgress(
        0,
        0,
        `${path.basename(file.path)}: lock not had within ${target.lockTimeout} ms, attempt ${attempt} of ${lockAttempts}`,
      );
    }
  }
}
