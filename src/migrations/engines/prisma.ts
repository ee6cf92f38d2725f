import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Client } from '../../postgres/client.ts';
import type { Migration, MigrationEngine, MigrationTarget } from '../engine.ts';
import { parseScript } from './sql/parse.ts';
import { rehearseScripts } from './effect.ts';
import { historyRows, historySessions, since } from './history.ts';
import { connectionUrl } from '../../postgres/connection-env.ts';
import type { Login } from '../../postgres/owner-login.ts';
import { withMigrationRole } from './role.ts';
import { runTool, type ToolRun } from './run-tool.ts';
import type { Tool } from './tool.ts';
import { changed, halfDone as cutShort } from './sql/refusals.ts';

const prisma: Tool = {
  name: 'Prisma',
  command: 'prisma',
  get: 'run `npm install --save-dev prisma` in the project of the migrations.',
};

interface Script extends Migration {
  readonly path: string;
  readonly bytes: Buffer;
}

interface Applied {
  readonly name: string;
  readonly checksum: string;
  readonly finished: boolean;
  readonly undone: boolean;
  /** The server's refusal was written down: the last statement that was sent did nothing. */
  readonly refused: boolean;
}

const resumable = 'The candidate can be resumed: fix the migration and migrate again.';
const lost = 'Abandon the candidate and seed again.';

/**
 * `prisma migrate deploy` on Prisma's own folder, with its history in _prisma_migrations. `folder` holds schema.prisma,
 * or is its folder of migrations.
 */
export function prismaEngine(folder: string): MigrationEngine {
  const pending = (client: Client): Promise<Script[]> => pendingScripts(client, folder);
  return {
    name: 'prisma',
    pending: async (client) => (await pending(client)).map(({ version, name }) => ({ version, name })),
    rehearse: async (client, _say, owner) => rehearseScripts(client, owner, await pending(client)),
    apply: async (target) => {
      const { reading } = await historySessions(target);
      const before = await reading(pending);
      await withMigrationRole(target, async (login) => {
        await settleFailed(target, login, folder, before, reading);
        await deploy(target, login, folder, ['migrate', 'deploy'], before.length, async () => {
          const unsettled = await reading((client) => halfDone(client, before));
          return unsettled === undefined
            ? `The migrations before the failed one are applied, nothing of that one is. ${resumable}`
            : `${unsettled} ${lost}`;
        });
      });
      return since(before, await reading(pending)).map(({ version, name }) => ({ version, name }));
    },
  };
}

async function pendingScripts(client: Client, folder: string): Promise<Script[]> {
  const scripts = await readScripts(folder);
  const applied = await read(client);
  for (const script of scripts) {
    const known = applied.find(
      ({ name, finished, undone }) => name === `${script.version}_${script.name}` && finished && !undone,
    );
    const sum = createHash('sha256').update(script.bytes).digest('hex');
    if (!known || known.checksum === sum) continue;
    throw changed(script, sum, known.checksum, ' Prisma itself looks at this in development only.');
  }
  return scripts.filter(
    ({ version, name }) =>
      !applied.some((known) => known.name === `${version}_${name}` && known.finished && !known.undone),
  );
}

function read(client: Client): Promise<Applied[]> {
  return historyRows<Applied>(
    client,
    '_prisma_migrations',
    "migration_name AS name, checksum, finished_at IS NOT NULL AS finished, rolled_back_at IS NOT NULL AS undone, coalesce(logs, '') <> '' AS refused",
    'started_at',
  );
}

/** As a sentence, why a migration that did not finish may have done a part of its work; undefined where none has. */
async function halfDone(client: Client, scripts: readonly Script[]): Promise<string | undefined> {
  for (const { name, refused } of await unfinished(client)) {
    const script = scripts.find((each) => `${each.version}_${each.name}` === name);
    const count = script ? (await parseScript(script.bytes, script.path)).length : 0;
    if (!refused)
      return `The migration ${name} was interrupted: whether its last statement was committed is not known.`;
    // Prisma promises no transaction around a script, and with a driver adapter there is none.
    if (count !== 1)
      return (
        `The migration ${name} failed ${script ? `and has ${count} statements` : 'and is gone from the folder'}: ` +
        'those before the failed one may be committed.'
      );
  }
  return undefined;
}

async function unfinished(client: Client): Promise<Applied[]> {
  return (await read(client)).filter(({ finished, undone }) => !finished && !undone);
}

type Reading = Awaited<ReturnType<typeof historySessions>>['reading'];

/**
 * Prisma goes on after a failed migration only when told what became of it. Told so only where it is certain that
 * nothing did.
 */
async function settleFailed(
  target: MigrationTarget,
  login: Login,
  folder: string,
  scripts: readonly Script[],
  reading: Reading,
): Promise<void> {
  const unsettled = await reading((client) => halfDone(client, scripts));
  if (unsettled !== undefined) {
    throw cutShort(unsettled, 'abandon the candidate and seed again.');
  }
  for (const { name } of await reading(unfinished))
    await deploy(target, login, folder, ['migrate', 'resolve', '--rolled-back', name], scripts.length, resumable);
}

async function deploy(
  target: MigrationTarget,
  login: Login,
  folder: string,
  args: readonly string[],
  total: number,
  state: ToolRun['state'],
): Promise<void> {
  const url = connectionUrl(login);
  await runTool({
    tool: prisma,
    args,
    cwd: await projectOf(folder),
    log: target.log,
    signal: target.signal,
    secret: login.password,
    env: { DATABASE_URL: url, DIRECT_URL: url },
    silence: target.statementTimeout && target.statementTimeout + 60_000,
    onLine: (line) => target.onProgress(0, total, line),
    state,
  });
}

/** Folders of migrations: `20260102030405_name/migration.sql`. */
async function readScripts(folder: string): Promise<Script[]> {
  const migrations = await migrationsOf(folder);
  const names = (await readdir(migrations, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory() && /^\d+_/.test(entry.name))
    .map(({ name }) => name)
    .sort();
  return Promise.all(
    names.map(async (name): Promise<Script> => {
      const file = path.join(migrations, name, 'migration.sql');
      const at = name.indexOf('_');
      return { version: name.slice(0, at), name: name.slice(at + 1), path: file, bytes: await readFile(file) };
    }),
  );
}

async function migrationsOf(folder: string): Promise<string> {
  for (const place of ['prisma/migrations', 'migrations'])
    if (
      await readdir(path.join(folder, place)).then(
        () => true,
        () => false,
      )
    )
      return path.join(folder, place);
  return folder;
}

/** Where Prisma is called: the folder of its configuration, else of package.json, else the one above `prisma/`. */
async function projectOf(folder: string): Promise<string> {
  for (let place = folder; ; place = path.dirname(place)) {
    const names = await readdir(place);
    if (names.some((name) => /^(prisma\.config\.\w+|package\.json)$/.test(name))) return place;
    if (place === path.dirname(place)) return folder;
  }
}
