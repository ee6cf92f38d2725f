import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Client } from '../../postgres/client.ts';
import type { Migration, MigrationEngine } from '../engine.ts';
import { effectUnknown, rehearseScripts } from './effect.ts';
import { historyRows, historySessions, historyTable, since } from './history.ts';
import { connectionUrl } from '../../postgres/connection-env.ts';
import type { Login } from '../../postgres/owner-login.ts';
import { withMigrationRole } from './role.ts';
import { runTool } from './run-tool.ts';
import type { Tool } from './tool.ts';

const tool: Tool = {
  name: 'node-pg-migrate',
  command: 'node-pg-migrate',
  get: 'run `npm install --save-dev node-pg-migrate pg` in the project of the migrations.',
};
const fileName = /^(?<version>\d+)[_-](?<title>.+)\.(?:[cm]?[jt]s|sql)$/;
/**
 * It takes every other entry of its folder for a migration: hidden ones, which it leaves out by itself, and backfills
 * are none.
 */
const ignored = ['--ignore-pattern', '(\\..*|backfills|.+\\.backfill\\.ya?ml)'];
/** What it prints around the SQL of a dry run. */
const chatter = /^(dry run|> .*|### MIGRATION .*|Migrations complete!|No migrations to run!)$/;

/** node-pg-migrate's own command line on its own files, JavaScript or SQL, with its history in pgmigrations. */
export function nodePgMigrateEngine(folder: string): MigrationEngine {
  const pending = (client: Client): Promise<Migration[]> => pendingFiles(client, folder);
  return {
    name: 'node-pg-migrate',
    pending,
    rehearse: async (client, _say, owner) => {
      if ((await pending(client)).length === 0) return;
      if ((await historyTable(client, 'pgmigrations')) === undefined)
        throw effectUnknown('node-pg-migrate', 'its dry run needs its own table, which its first run makes');
      await rehearseScripts(client, owner, [
        { path: `${folder} (dry run)`, bytes: Buffer.from(await dryRun(client, folder)) },
      ]).catch((error: unknown) => {
        throw (error as { id?: string }).id === 'sql-syntax'
          ? effectUnknown('node-pg-migrate', 'its dry run printed what is not SQL', error)
          : error;
      });
    },
    apply: async (target) => {
      const { reading } = await historySessions(target);
      const before = await reading(pending);
      await withMigrationRole(target, (login) =>
        runTool({
          tool,
          args: ['up', '-m', folder, '--no-verbose', ...ignored],
          cwd: folder,
          log: target.log,
          signal: target.signal,
          secret: login.password,
          env: { DATABASE_URL: connectionUrl(login) },
          silence: target.statementTimeout && target.statementTimeout + 60_000,
          onLine: (line) => target.onProgress(0, before.length, line),
          state:
            'node-pg-migrate runs all that is pending in one transaction: nothing of it is applied, but for ' +
            'migrations that say noTransaction. The candidate can be resumed: fix the migration and migrate again.',
        }),
      );
      return since(before, await reading(pending));
    },
  };
}

async function pendingFiles(client: Client, folder: string): Promise<Migration[]> {
  const applied = new Set(
    (await historyRows<{ name: string }>(client, 'pgmigrations', 'name', 'id')).map(({ name }) => name),
  );
  return (await readdir(folder))
    .filter((name) => fileName.test(name))
    .sort()
    .filter((name) => !applied.has(path.parse(name).name))
    .map((name) => ({
      version: fileName.exec(name)?.groups?.['version'] ?? '',
      name: fileName.exec(name)?.groups?.['title'] ?? name,
    }));
}

/**
 * Its SQL, from a session that cannot write and waits for no lock of ours: a migration's code may query while it is
 * loaded.
 */
async function dryRun(client: Client, folder: string): Promise<string> {
  const { host, port, user, password, database } = client as Client & Login;
  const options = '-c default_transaction_read_only=on -c lock_timeout=5s';
  const at = host.startsWith('/')
    ? `${encodeURIComponent(user)}@/${encodeURIComponent(database)}?host=${encodeURIComponent(host)}&port=${port}&`
    : `${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${encodeURIComponent(database)}?`;
  const lines = await runTool({
    tool,
    args: ['up', '-m', folder, '--dry-run', ...ignored],
    cwd: folder,
    secret: password,
    env: { DATABASE_URL: `postgresql://${at}options=${encodeURIComponent(options)}` },
    silence: 60_000,
    state: 'It was a dry run: nothing is applied.',
  }).catch((error: unknown) => {
    throw (error as { id?: string }).id === 'engine-missing'
      ? error
      : effectUnknown('node-pg-migrate', 'its dry run failed', error);
  });
  return lines.filter((line) => !chatter.test(line.trim())).join('\n');
}
