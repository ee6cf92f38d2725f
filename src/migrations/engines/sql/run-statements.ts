import path from 'node:path';
import type { Client } from '../../../postgres/client.ts';
import { tryHeld } from '../../data/held.ts';
import { isThere } from '../../data/judge.ts';
import { runInPlace } from '../../data/place.ts';
import { sourceLine } from '../../data/refusals.ts';
import type { FromFile } from '../../data/statement.ts';
import { statementFailed } from '../statement-failed.ts';
import type { SqlFile } from './file.ts';
import type { SqlStatement } from './parse.ts';
import { unwatched, type WatchedTarget } from './watch.ts';

/** As a file is run: `client` is its own session, the owner's where the file does not ask for the operator's. */
export interface FileTarget extends WatchedTarget {
  readonly as: string | undefined;
  readonly operator: Client;
}

export type Placed = FromFile & SqlStatement;

export function placedAt(file: SqlFile): Placed[] {
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

/** Before the locks of what runs here: what they write there has to arrive. */
export async function onLiveBefore({ data, as }: FileTarget, statements: readonly Placed[]): Promise<void> {
  for (const statement of statements) if (statement.note?.place === 'live') await data?.onLive(statement, as);
}

/** Inside a transaction: those that share it, each in its place. `state` says what is true where one fails. */
export async function together(
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
    if (await inPlace(target, file, statement, () => runWatched(target, file, statement, said))) kept ??= statement;
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

export async function runWatched(
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
