import { other } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { newJournal, type Journal } from '../../model/journal.ts';
import { serializeJournal } from '../../model/journal-text.ts';
import type { MigrationEngine } from '../../migrations/engine.ts';
import { withCopySlot } from '../../migrations/rehearsal/copy-slot.ts';
import { knownStatements } from '../../migrations/rehearsal/known-statements.ts';
import { comparePlans, readPlans } from '../../migrations/rehearsal/plans.ts';
import { makeReport } from '../../migrations/rehearsal/make-report.ts';
import type { RehearsalReport, SmokeReport } from '../../migrations/rehearsal/report.ts';
import { runMigrations } from '../../migrations/rehearsal/run.ts';
import { runShell, tail } from '../../migrations/rehearsal/shell.ts';
import type { JournalStore } from '../../platform/port/journal.ts';
import type { Platform, PlatformClone } from '../../platform/port/platform.ts';
import { one } from '../../postgres/client.ts';
import { withClient } from '../../postgres/session.ts';
import { withLooker } from '../../postgres/readers.ts';
import { Context } from '../engine/context.ts';
import type { Emit } from '../../model/events.ts';
import { Ledger, readJournal } from '../engine/ledger.ts';
import { requireOneDatabase } from '../gates/databases.ts';
import { requireWhole } from '../gates/part.ts';
import { engineOf } from '../verbs/to-come.ts';
import { connectionIn } from '../../platform/connection-in.ts';

export interface RehearseOptions {
  /** The project's own load, a command of the shell; none for one made of pg_stat_statements or of the tables. */
  readonly load?: string | undefined;
  /** The live release's smoke test, a command of the shell. */
  readonly smoke?: string | undefined;
  /** Milliseconds that a query may be blocked; longer is a refusal. */
  readonly maxLock?: number | undefined;
  readonly clients: number;
  /** Statements a second of all clients. */
  readonly rate: number;
  /** Milliseconds of load before the first migration. */
  readonly warmUp: number;
}

/** A clone as for a drill; with the log of its live colour's server where that can be read. */
export type RehearsalClone = PlatformClone & { readonly serverLog?: string | undefined };

interface Parts {
  readonly environment: Environment;
  readonly platform: Platform;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

export interface Rehearsal {
  readonly report: RehearsalReport;
  /** Of the migration, as its engine threw it. */
  readonly failure: unknown;
}

/** Milliseconds for a smoke test. */
const smokeLimit = 10 * 60_000;

/**
 * Applies the candidate's migrations to a throw-away clone of the live database while a workload uses it, and measures.
 * Of the live colour it takes a copy in backup mode and a temporary slot meanwhile, and reads pg_stat_statements;
 * nothing else, and no lease, so a release may be under way. The clone is destroyed however it ends.
 */
export async function rehearse(
  parts: Parts,
  clone: (environment: Environment) => Promise<RehearsalClone>,
  options: RehearseOptions,
): Promise<Rehearsal> {
  requireOneDatabase(parts.environment, 'a rehearsal');
  const journal = await readJournal(parts.platform.journal);
  requireWhole({ environment: parts.environment, journal }, 'a rehearsal');
  const environment = { ...parts.environment, live: journal.live };
  const engine = await engineOf(await contextOf({ ...parts, environment }, journal), journal.live);
  const roles = [...environment.roles.application, ...environment.roles.readers];
  const live = await connectionIn(parts.platform.servers, journal.live, environment.database);
  const known = await withLooker(live, 'rehearse', async (client) => {
    // Faults of the folder are reported before hours of copying.
    await engine?.pending(client);
    return knownStatements(client, roles);
  });
  const begun = Date.now();
  parts.emit({ type: 'note', text: `making a throw-away clone of ${environment.name}, ${journal.live}` });
  const made = await withCopySlot(
    live,
    environment.limits.snapshot,
    parts.signal,
    () => clone(environment),
    (unwanted) => unwanted.destroy(),
  );
  try {
    parts.emit({ type: 'note', text: `the clone serves after ${((Date.now() - begun) / 1000).toFixed(1)} s` });
    return await onClone({ ...parts, environment }, made, engine, known, options, journal);
  } finally {
    await made.destroy();
  }
}

async function onClone(
  { environment, emit, signal }: Parts,
  { platform, as, serverLog }: RehearsalClone,
  engine: MigrationEngine | undefined,
  known: Awaited<ReturnType<typeof knownStatements>>,
  options: RehearseOptions,
  journal: Journal,
): Promise<Rehearsal> {
  const [role] = environment.roles.application;
  if (role === undefined) throw new Error('a parsed declaration has an application role');
  const { limits, database, live } = environment;
  const candidate = environment.colours[other(live)];
  const connection = await connectionIn(platform.servers, live, database);
  const server = await withLooker(connection, 'rehearse-watch', (client) =>
    one<{ version: string; major: number; databaseBytes: number }>(
      client,
      `
    SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int / 10000 AS major,
      pg_database_size(current_database())::float8 AS "databaseBytes"`,
    ),
  );
  const listed = typeof known === 'string' ? [] : known;
  const before = await readPlans(as, listed, server.major);
  const run = await runMigrations({
    connection,
    engine,
    owner: environment.roles.owner,
    limits,
    serverLog,
    signal,
    warmUp: options.warmUp,
    release: candidate?.release ?? '',
    folder: candidate?.migrations,
    load: {
      as,
      role,
      known,
      signal,
      major: server.major,
      command: options.load,
      clients: options.clients,
      rate: options.rate,
      texts: (await engine?.texts?.().catch(() => [])) ?? [],
    },
    note: (text) => emit({ type: 'note', text }),
  });
  const plans = async () => {
    // As the verb migrate does: plans without statistics would not be those that clients get.
    await withClient(connection, 'rehearse-watch', (client) => client.query('ANALYZE'));
    return comparePlans(
      before,
      await readPlans(as, listed, server.major),
      typeof known === 'string'
        ? known
        : server.major < 16 && before.size < listed.length
          ? `${listed.length - before.size} of ${listed.length} statements have parameters, and EXPLAIN (GENERIC_PLAN) came with PostgreSQL 16`
          : undefined,
    );
  };
  const failed = run.failure !== undefined;
  const report = makeReport({
    environment,
    server,
    run,
    options,
    engine: engine?.name ?? null,
    from: journal.liveRelease,
    to: candidate?.release ?? journal.liveRelease,
    plans: failed ? { compared: 0, worse: [], broken: [], skipped: 'the migration failed' } : await plans(),
    smoke: failed || options.smoke === undefined ? undefined : await smokeTest(options.smoke, as(role), signal),
  });
  signal.throwIfAborted();
  return { report, failure: run.failure };
}

async function smokeTest(
  command: string,
  as: ReturnType<PlatformClone['as']>,
  signal: AbortSignal,
): Promise<SmokeReport> {
  const { exitCode, ms, output } = await runShell(command, as, { limit: smokeLimit, signal }).ended;
  return { command, exitCode, ms, tail: tail(output) };
}

/**
 * A context as in a release of which the candidate is about to be migrated: what engines are chosen by. Its journal
 * cannot be written.
 */
async function contextOf(parts: Parts, journal: Journal): Promise<Context> {
  const { live } = journal;
  const candidate = parts.environment.colours[other(live)];
  const imagined: Journal = {
    ...newJournal(journal.environment, live, journal.liveRelease),
    release: {
      from: journal.liveRelease,
      to: candidate?.release ?? journal.liveRelease,
      candidate: other(live),
      startedAt: new Date().toISOString(),
      seed: {},
      schema: {},
    },
  };
  const store: JournalStore = {
    read: () => Promise.resolve({ revision: 1, text: serializeJournal(imagined), where: 'of the rehearsal' }),
    write: () => Promise.reject(new Error('a rehearsal writes no journal')),
  };
  return new Context({ ...parts, ledger: await Ledger.readOnly(store) });
}
