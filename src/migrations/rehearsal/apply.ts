import type { Client } from '../../postgres/client.ts';
import { withOwnSession } from '../../postgres/session.ts';
import { migrationOwner } from '../../postgres/owners.ts';
import { fillAll } from '../backfill/fill-all.ts';
import type { WatchedTarget } from '../engines/sql/watch.ts';
import { withOwnerSession } from '../owner-session.ts';
import { measuring, type Measurements } from './measure.ts';
import type { RunOptions } from './run-options.ts';
import { watcher } from './sampler.ts';
import { logged } from './server-log.ts';

/** The failure of the migration, or undefined. */
export async function applyMeasured(
  { engine, owner, connection, release, folder, limits, signal, note }: RunOptions,
  client: Client,
  into: Measurements,
): Promise<unknown> {
  if (!engine) return undefined;
  const role = await withOwnSession(connection, watcher, (control) => migrationOwner(control, owner));
  const target: WatchedTarget = {
    client,
    owner: role,
    connection,
    release,
    signal,
    lockTimeout: limits.migrationLock,
    statementTimeout: limits.migrationStatement,
    onProgress: (done, total, text) => note(total > 0 ? `${done + 1} of ${total}: ${text}` : text),
    sessionSettings: logged,
    watch: measuring(into),
    backfillsBefore: (version, session) => fill(session, version),
  };
  const fill = async (session: Client, before?: string): Promise<void> => {
    if (folder === undefined) return;
    // In batches: no lock of it is long, so what counts is how long it takes and what it writes.
    const as = { client: session, operator: client, owner: role };
    await fillAll(as, folder, release, signal, before, async ({ path, name, table }, work) => {
      note(`backfill ${name}`);
      const at = Date.now();
      await work();
      into.statements.push({
        file: path,
        line: 1,
        text: `backfill of ${table}`,
        at,
        ms: Date.now() - at,
        locks: [],
        rewrites: [],
      });
    });
  };
  try {
    await engine.apply(target);
    await withOwnerSession({ ...target, quietly: true }, (session) => fill(session));
    return undefined;
  } catch (error) {
    return error;
  }
}
