import { lsnDistance } from '../../model/lsn.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { withClient, withOwnSession } from '../../postgres/session.ts';
import { ensureControlSchema } from '../../postgres/control.ts';
import { readersOf } from '../../postgres/readers.ts';
import type { Migration } from '../engine.ts';
import { chooseLoad } from './choose-load.ts';
import { ignoring } from './ignore.ts';
import type { Load } from './load.ts';
import type { Measurements } from './measure.ts';
import type { Observations } from './observed.ts';
import { applyMeasured } from './apply.ts';
import { attributed } from './attributed.ts';
import { settleLoad, warmUp } from './load-waits.ts';
import type { RunOptions } from './run-options.ts';
import { startSampler, watcher } from './sampler.ts';
import { logStatements } from './server-log.ts';
import { readState, rewrites, tableNames, type RelationRewrite, type DatabaseState } from './state.ts';

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
            const failure = await applyMeasured(options, migrating, into);
            const appliedTo = Date.now();
            signal.throwIfAborted();
            const after = await readState(reading);
            await settleLoad(load, signal);
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
