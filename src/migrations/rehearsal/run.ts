import { lsnDistance } from '../../model/lsn.ts';
import { waitFor } from '../../model/wait.ts';
import type { Client } from '../../postgres/client.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { withClient, withOwnSession } from '../../postgres/session.ts';
import { ensureControlSchema } from '../../postgres/control.ts';
import { migrationOwner } from '../../postgres/owners.ts';
import { readersOf } from '../../postgres/readers.ts';
import { fillAll } from '../backfill/fill-all.ts';
import type { Migration, MigrationEngine } from '../engine.ts';
import type { WatchedTarget } from '../engines/sql/run.ts';
import { chooseLoad, type LoadChoice } from './choose-load.ts';
import { ignoring } from './ignore.ts';
import type { Load } from './load.ts';
import { withOwnerSession } from '../owner-session.ts';
import { measuring, type Measurements } from './measure.ts';
import type { Observations } from './observed.ts';
import { startSampler, watcher } from './sampler.ts';
import { logged, logStatements } from './server-log.ts';
import { readState, rewrites, tableNames, type RelationRewrite, type DatabaseState } from './state.ts';

export interface RunOptions {
  /** The operator's, to the clone's database. */
  readonly connection: ConnectionSettings;
  readonly engine: MigrationEngine | undefined;
  /** `roles.owner` of the declaration. */
  readonly owner?: string | undefined;
  readonly release: string;
  /** Whose backfills are run too. */
  readonly folder: string | undefined;
  readonly limits: { readonly migrationLock: number; readonly migrationStatement: number };
  readonly load: Omit<LoadChoice, 'client'>;
  /** Milliseconds of load before the first migration: what latencies are compared with. */
  readonly warmUp: number;
  /** The clone's server log, where it can be read: for engines that run their statements themselves. */
  readonly serverLog: string | undefined;
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
}

export interface RunResult extends Measurements {
  readonly measured: 'statements' | 'log' | 'whole';
  readonly migrations: readonly Migration[];
  readonly failure: unknown;
  readonly observed: Observations;
  readonly load: Load;
  readonly loadEnded: string | undefined;
  readonly names: ReadonlyMap<string, string>;
  readonly startedAt: number;
  readonly appliedFrom: number;
  readonly appliedTo: number;
  readonly endedAt: number;
  readonly before: DatabaseState;
  readonly warm: DatabaseState;
  readonly after: DatabaseState;
  readonly rewritten: readonly RelationRewrite[];
}

/**
 * Applies the migrations to a clone while a load uses it and a session of its own watches locks and waits. A failing
 * migration is a result, not an error.
 */
export async function runMigrations(options: RunOptions): Promise<RunResult> {
  const { connection, engine, signal, note } = options;
  const reader = await prepare(options);
  return withOwnSession(reader, watcher, (reading) =>
    withOwnSession(reader, watcher, (sampling) =>
      withClient(connection, 'migrate', async (migrating) => {
        // A statement can run for an hour: an interruption does not wait for it.
        const cut = (): void => void migrating.connection.stream.destroy();
        signal.addEventListener('abort', cut, { once: true });
        try {
          const migrations = (await engine?.pending(reading)) ?? [];
          const names = await tableNames(reading);
          const measured =
            engine === undefined || engine.data ? 'statements' : options.serverLog === undefined ? 'whole' : 'log';
          const readLog =
            measured === 'log'
              ? await withOwnSession(connection, watcher, (control) =>
                  logStatements(control, options.serverLog as string),
                )
              : undefined;
          const load = await chooseLoad({ ...options.load, client: reading });
          const sampler = startSampler(sampling, connection.user);
          const into: Measurements = { statements: [], files: [] };
          try {
            note(load.kind === 'none' ? `no load: ${load.detail}` : `load: ${load.detail}`);
            const startedAt = Date.now();
            const before = await readState(reading);
            await warmUp(load, options.warmUp, signal);
            const warm = await readState(reading);
            const appliedFrom = Date.now();
            const failure = await apply(options, migrating, into);
            const appliedTo = Date.now();
            signal.throwIfAborted();
            const after = await readState(reading);
            await settle(load, signal);
            const loadEnded = load.endedEarly;
            await load.stop();
            const observed = await sampler.stop();
            const rewritten = await rewrites(reading, warm, after);
            if (readLog) into.statements.push(...(await readLog()));
            if (measured === 'whole')
              into.statements.push({
                file: '',
                line: 0,
                text: `${engine?.name}: ${migrations.map(({ version, name }) => `${version} ${name}`).join(', ')}`,
                at: appliedFrom,
                ms: appliedTo - appliedFrom,
                locks: [],
                rewrites: [],
                walBytes: lsnDistance(warm.lsn, after.lsn),
                diskBytes: after.bytes - warm.bytes,
              });
            return {
              ...into,
              statements: measured === 'statements' ? into.statements : attributed(into.statements, rewritten),
              measured,
              migrations,
              failure,
              observed,
              load,
              loadEnded,
              names,
              startedAt,
              appliedFrom,
              appliedTo,
              endedAt: Date.now(),
              before,
              warm,
              after,
              rewritten,
            };
          } finally {
            await load.stop();
            await sampler.stop().catch(ignoring);
          }
        } catch (error) {
          signal.throwIfAborted();
          throw error;
        } finally {
          signal.removeEventListener('abort', cut);
        }
      }),
    ),
  );
}

/** Who reads the clone: code of the tables' owners must not find a superuser. */
async function prepare({ connection }: RunOptions): Promise<ConnectionSettings> {
  return withOwnSession(connection, watcher, async (control) => {
    await ensureControlSchema(control);
    return (await readersOf(control, connection)).reader;
  });
}

/** The failure of the migration, or undefined. */
async function apply(
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

async function warmUp(load: Load, ms: number, signal: AbortSignal): Promise<void> {
  if (load.kind === 'none') return;
  const until = Date.now() + ms;
  await waitFor(async () => (Date.now() >= until && (load.operations?.length ?? Infinity) > 0 ? true : undefined), {
    limit: ms + 60_000,
    signal,
    slowest: 50,
    id: 'rehearsal-load',
    what: 'a statement of the load',
    next: 'see the log of the clone; give another load with --load.',
  });
}

/** Lets clients that were blocked end what they waited for, so that it is counted. */
async function settle(load: Load, signal: AbortSignal): Promise<void> {
  const done = load.operations?.length ?? 0;
  if (load.operations === undefined || load.kind === 'none') return;
  await waitFor(async () => ((load.operations?.length ?? 0) >= done + load.clients * 2 ? true : undefined), {
    limit: 10_000,
    signal,
    slowest: 20,
    what: 'the load going on',
    next: '',
  }).catch(ignoring);
  signal.throwIfAborted();
}

/**
 * Where statements were not measured in their session, a rewrite is laid at the longest of those that name the
 * relation, else at the longest.
 */
function attributed(
  statements: Measurements['statements'],
  rewritten: readonly RelationRewrite[],
): Measurements['statements'] {
  const longest = (some: Measurements['statements']): Measurements['statements'][number] | undefined =>
    some.toSorted((a, b) => b.ms - a.ms)[0];
  const owner = new Map(
    rewritten.map((rewrite) => [
      rewrite,
      longest(statements.filter(({ text }) => text.includes(rewrite.relation.split('.').at(-1) ?? ''))) ??
        longest(statements),
    ]),
  );
  return statements.map((statement) => ({
    ...statement,
    rewrites: rewritten.filter((rewrite) => owner.get(rewrite) === statement),
  }));
}
