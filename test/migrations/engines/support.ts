import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { waitFor } from '../../../src/model/wait.ts';
import type { Migration, MigrationEngine, MigrationTarget } from '../../../src/migrations/engine.ts';
import { formatOf } from '../../../src/migrations/engines/native/format.ts';
import { sqlFilesEngine } from '../../../src/migrations/engines/sql/engine.ts';
import { operatorRole } from '../../../src/model/names.ts';
import { rows, withTransaction, type Client } from '../../../src/postgres/client.ts';
import type { ConnectionSettings } from '../../../src/postgres/connection.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { ensureControlSchema } from '../../../src/postgres/control.ts';
import { loadScript } from '../../../src/postgres/script.ts';
import { chinook } from './chinook.ts';
import { connectionTo, temporaryFolder, withDatabase } from '../../support/postgres.ts';

/** Engine `sql` as a declaration that names it has it. */
export const plainSql = (folder: string): MigrationEngine => sqlFilesEngine({ folder, format: formatOf('sql') });

export const examples = new URL('../../../examples/', import.meta.url).pathname;

export interface Bench {
  readonly client: Client;
  readonly connection: ConnectionSettings;
  readonly folder: string;
  readonly log: string;
  readonly said: string[];
  write(name: string, text: string): Promise<void>;
  apply(engine: MigrationEngine, parts?: Partial<MigrationTarget>): Promise<Migration[]>;
  /** Applies, and aborts once a statement with pg_sleep runs; returns what is thrown. */
  interrupt(engine: MigrationEngine): Promise<unknown>;
  /** Tables that a rehearsal leads to. */
  rehearse(engine: MigrationEngine): Promise<string[]>;
  /** Of the user's, those of Chinook left out. */
  tables(): Promise<string[]>;
  loadChinook(): Promise<void>;
}

/** A database, and a folder that begins as a copy of an example. */
export async function withBench(example: string | undefined, use: (bench: Bench) => Promise<void>): Promise<void> {
  const root = await temporaryFolder();
  const folder = path.join(root, 'migrations');
  if (example) await cp(path.join(examples, example), folder, { recursive: true });
  else await mkdir(folder);
  const log = path.join(root, 'run.log');
  const said: string[] = [];
  try {
    await withDatabase(async (client, server) => {
      const connection = connectionTo(server, 'test');
      await ensureControlSchema(client);
      const known = new Set<string>();
      const all = async (): Promise<string[]> =>
        (
          await rows<{ name: string }>(
            client,
            "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1",
          )
        ).map(({ name }) => name);
      const names = async (): Promise<string[]> => (await all()).filter((name) => !known.has(name));
      const apply: Bench['apply'] = (engine, parts) =>
        engine.apply({
          client,
          connection,
          release: '2',
          lockTimeout: 5_000,
          statementTimeout: 60_000,
          signal: new AbortController().signal,
          log,
          onProgress: (_done, _total, note) => said.push(note),
          ...parts,
        });
      await use({
        client,
        connection,
        folder,
        log,
        said,
        apply,
        tables: names,
        loadChinook: async () => {
          const before = await all();
          await loadScript(client, chinook);
          for (const name of await all()) if (!before.includes(name)) known.add(name);
        },
        write: async (name, text) => {
          await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
          await writeFile(path.join(folder, name), text);
        },
        interrupt: async (engine) => {
          const stop = new AbortController();
          const run = apply(engine, { signal: stop.signal }).then(
            () => undefined,
            (error: unknown) => error,
          );
          await withClient(connection, 'test', async (watcher) =>
            waitFor(
              async () =>
                (await rows(watcher, "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'")).length > 0
                  ? true
                  : undefined,
              { limit: 100_000, every: 20, slowest: 200, what: 'the migration to run', next: '' },
              () => 'it does not',
            ),
          );
          stop.abort();
          return run;
        },
        rehearse: async (engine) => {
          let seen: string[] = [];
          await withTransaction(client, async () => {
            await engine.rehearse?.(client);
            seen = await names();
            throw new Error('rolled back');
          }).catch((error: Error) => {
            if (error.message !== 'rolled back') throw error;
          });
          return seen;
        },
      });
    });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/**
 * What must hold after every run, good or bad: no login left, no session of it, nothing that belongs to anybody but the
 * operator.
 */
export async function leftBehind(client: Client): Promise<unknown[]> {
  return rows(
    client,
    `
    SELECT 'role' AS what, rolname AS name FROM pg_roles WHERE rolname = 'verdigris_migration'
    UNION ALL SELECT 'session', application_name FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename <> $1
    UNION ALL SELECT 'owner', relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relowner <> $1::text::regrole`,
    [operatorRole],
  );
}
