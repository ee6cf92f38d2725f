import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import type { Client } from '../../postgres/client.ts';
import type { Migration, MigrationEngine } from '../engine.ts';
import { compareVersions } from './sql/files.ts';
import { effectUnknown, rehearseScripts } from './effect.ts';
import { historyRows, historySessions } from './history.ts';
import { jdbcUrlOf, withMigrationRole } from './role.ts';
import { runTool } from './run-tool.ts';
import type { Tool } from './tool.ts';

const flyway: Tool = {
  name: 'Flyway',
  command: 'flyway',
  get: 'install the command line of Flyway (Maven Central: org.flywaydb:flyway-commandline, the archive) and put it on PATH; it needs Java 17.',
};
const fileName = /^(?:V(?<version>\d[\d._]*)|(?<repeatable>R))__(?<title>.+)\.(?<kind>sql|java|class|jar)$/;

interface Script extends Migration {
  readonly path: string;
  readonly sql: boolean;
  readonly bytes: Buffer;
}

interface Applied {
  readonly rank: number;
  readonly version: string | null;
  readonly description: string;
  readonly type: string;
  readonly checksum: number | null;
  readonly success: boolean;
}

/** Flyway's own command line on its own files, with its history in flyway_schema_history. */
export function flywayEngine(folder: string): MigrationEngine {
  const pending = (client: Client): Promise<Script[]> => pendingScripts(client, folder);
  return {
    name: 'flyway',
    pending: async (client) => (await pending(client)).map(({ version, name }) => ({ version, name })),
    rehearse: async (client, _say, owner) => {
      const scripts = await pending(client);
      const code = scripts.find(({ sql }) => !sql);
      if (code) throw effectUnknown('Flyway', `${path.basename(code.path)} is code, not SQL`);
      const filled = scripts.find(({ bytes }) => bytes.includes('${'));
      if (filled)
        throw effectUnknown('Flyway', `${path.basename(filled.path)} has placeholders, which only Flyway fills`);
      await rehearseScripts(client, owner, scripts);
    },
    apply: async (target) => {
      const { reading } = await historySessions(target);
      const before = await reading(pending);
      const newest = (await reading(applied)).at(-1)?.rank ?? 0;
      await withMigrationRole(target, async (login) => {
        const configured = (await readdir(folder)).some((name) => /^flyway\.(toml|conf)$/.test(name));
        await runTool({
          tool: flyway,
          cwd: folder,
          log: target.log,
          signal: target.signal,
          secret: login.password,
          args: [...(configured ? [] : [`-locations=filesystem:${folder}`]), '-skipCheckForUpdate', 'migrate'],
          env: { FLYWAY_URL: jdbcUrlOf(login), FLYWAY_USER: login.user, FLYWAY_PASSWORD: login.password },
          silence: target.statementTimeout && target.statementTimeout + 60_000,
          onLine: (line) => target.onProgress(0, before.length, line),
          state:
            'Flyway rolls a failed migration back; those before it are applied. The candidate can be resumed: fix ' +
            'the file and migrate again. Where Flyway asks for `repair`, statements ran outside a transaction: ' +
            'abandon the candidate and seed again.',
        });
      });
      return (await reading(applied))
        .filter(({ rank, type, success }) => rank > newest && success && !/SCHEMA|BASELINE/.test(type))
        .map(({ version, description }) => ({ version: version ?? '', name: description }));
    },
  };
}

function applied(client: Client): Promise<Applied[]> {
  return historyRows<Applied>(
    client,
    'flyway_schema_history',
    'installed_rank AS rank, version, description, type, checksum, success',
    'installed_rank',
  );
}

async function pendingScripts(client: Client, folder: string): Promise<Script[]> {
  const scripts = await readScripts(folder);
  const known = (await applied(client)).filter(({ success }) => success);
  const baseline = known
    .filter(({ type, version }) => /BASELINE/.test(type) && version !== null)
    .map(({ version }) => version ?? '')
    .sort(compareVersions)
    .at(-1);
  return scripts.filter((script) => {
    // Flyway sums up a repeatable one as it is once its placeholders are filled: whether such a one was changed, only
    // Flyway knows.
    if (script.version === '')
      return (
        script.bytes.includes('${') ||
        known.findLast(({ version, description }) => version === null && description === script.name)?.checksum !==
          checksum(script.bytes)
      );
    if (baseline !== undefined && compareVersions(script.version, baseline) <= 0) return false;
    return !known.some(({ version }) => version !== null && compareVersions(version, script.version) === 0);
  });
}

/** Versioned ones by their numbers, then repeatable ones by their descriptions, as Flyway runs them. */
async function readScripts(folder: string): Promise<Script[]> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => fileName.test(path.basename(name)));
  const scripts = await Promise.all(
    names.map(async (name): Promise<Script> => {
      const { version = '', title = '', kind } = fileName.exec(path.basename(name))?.groups ?? {};
      const file = path.join(folder, name);
      return {
        version: version.replaceAll('_', '.'),
        name: title.replaceAll('_', ' '),
        path: file,
        sql: kind === 'sql',
        bytes: await readFile(file),
      };
    }),
  );
  return scripts.sort(
    (a, b) =>
      Number(a.version === '') - Number(b.version === '') ||
      compareVersions(a.version, b.version) ||
      (a.name < b.name ? -1 : 1),
  );
}

/** Flyway's: of the lines without their ends and without a byte order mark, as a signed number. */
export function checksum(bytes: Buffer): number {
  const lines = bytes
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/);
  return lines.reduce((sum, line) => crc32(line, sum), 0) | 0;
}
