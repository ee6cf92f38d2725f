import { statementFailed } from '../statement-failed.ts';
import path from 'node:path';
import { VerdigrisError } from '../../../model/errors.ts';
import { asLogin, rows, withFixedPath, withTransaction, type Client } from '../../../postgres/client.ts';
import { ident, literal } from '../../../postgres/quote.ts';
import type { MigrationTarget } from '../../engine.ts';
import { tryHeld } from '../../data/held.ts';
import type { FromFile } from '../../data/statement.ts';
import { refuseComputed } from '../../data/computed.ts';
import { isThere } from '../../data/judge.ts';
import { sourceLine } from '../../data/refusals.ts';
import { runInPlace } from '../../data/place.ts';
import type { Book } from './book.ts';
import type { SqlFile } from './file.ts';
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
  if (data) for (const statement of placedAt(file)) refuseComputed(statement, data.live);
  await client.query(
    `SET lock_timeout = ${target.lockTimeout}; SET statement_timeout = ${target.statementTimeout}; SET role = ${literal(target.as ?? 'none')}`,
  );
  try {
    const watch = target.watch ?? unwatched;
    if (file.transactional) {
      // Before the file's own locks: what it writes there has to arrive here.
      for (const statement of placedAt(file))
        if (statement.note?.place === 'live') await target.data?.onLive(statement, target.as);
      await retryLocks(target, file, () =>
        watch.file(client, file, () => withTransaction(client, () => inTransaction(target, file, book))),
      );
    } else await watch.file(client, file, () => oneByOne(target, file, book));
  } finally {
    await client
      .query('RESET lock_timeout; RESET statement_timeout; RESET search_path; RESET role')
      .catch(() => undefined);
  }
}

const untouched =
  'Nothing of this file is applied; the files before it are. The candidate can be resumed: fix the file and migrate again.';

type Placed = FromFile & SqlStatement;

function placedAt(file: SqlFile): Placed[] {
  return file.statements.map((statement, position) => ({
    ...statement,
    // Without a transaction SET LOCAL sets nothing.
    sets: (statement.sets ?? []).filter(({ local }) => file.transactional || !local),
    position,
    version: file.version,
    file: path.basename(file.path),
  }));
}

async function inTransaction(target: FileTarget, file: SqlFile, book: Book): Promise<void> {
  let kept: Placed | undefined;
  for (const statement of placedAt(file)) {
    const state = kept
      ? `${untouched} ${sourceLine(kept)} is held back until the switchover: where this needs what it writes, a ` +
        'note gives that another place (docs/migrations.md).'
      : untouched;
    if (await inPlace(target, file, statement, () => watched(target, file, statement, state))) kept ??= statement;
  }
  await settled(target, file, untouched);
  if (kept && target.data) await tryHeld(target.client, target.data.limits, untouched);
  await book.ran(target.client, file);
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

/** Outside a transaction each statement counts for itself; how many are done is written down after each. */
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
  const resumed =
    'The statements before it are applied and will not run again. The candidate can be resumed: fix this statement and migrate again.';
  for (const statement of placedAt(file)) {
    const index = statement.position;
    if (index < (known?.done ?? 0)) continue;
    const run = (): Promise<void> => watched(target, file, statement, resumed);
    await retryLocks(target, file, async () => {
      if (statement.concurrentIndex) await dropInvalid(client, statement.concurrentIndex);
      if (statement.note?.place === 'live' && target.data) return target.data.onLive(statement, target.as);
      // A procedure may commit, which it cannot inside a transaction.
      const policy = target.data;
      if (!policy || !statement.data || statement.data.mayCommit) return run();
      await withTransaction(client, async () => {
        const kept = await inPlace(target, file, statement, run);
        await settled(target, file, resumed);
        if (kept) await tryHeld(client, policy.limits, resumed);
      });
    });
    await asLogin(client, () =>
      client.query('UPDATE verdigris.migration SET statements_done = $2 WHERE version = $1', [file.version, index + 1]),
    );
  }
  await withTransaction(client, () => book.ran(client, file));
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

/** What a constraint or a trigger says at the end of the transaction, said of the file's last statement. */
async function settled({ client, as }: FileTarget, file: SqlFile, state: string): Promise<void> {
  await client.query('SET CONSTRAINTS ALL IMMEDIATE').catch((cause: unknown) => {
    throw statementFailed({ line: 1, text: '', ...file.statements.at(-1), path: file.path }, state, cause, as);
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
