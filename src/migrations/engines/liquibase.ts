import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { VerdigrisError } from '../../model/errors.ts';
import { rows, type Client } from '../../postgres/client.ts';
import type { Migration, MigrationEngine } from '../engine.ts';
import { effectUnknown, rehearseScripts } from './effect.ts';
import { historyRows, historySessions, historyTable } from './history.ts';
import { jdbcUrlOf, withMigrationRole } from './role.ts';
import { runTool } from './run-tool.ts';
import type { Tool } from './tool.ts';

const liquibase: Tool = {
  name: 'Liquibase',
  command: 'liquibase',
  get:
    'install the command line of Liquibase (Maven Central: org.liquibase:liquibase-core with ' +
    'info.picocli:picocli and org.postgresql:postgresql, or its archive) and put it on PATH; it needs Java.',
};
/**
 * Names that Liquibase's documentation uses for the root of a changelog; the others are found by the property
 * `changeLogFile`.
 */
export const changelogName = /^(db[._-])?changelog([._-](master|root|main))?\.(xml|ya?ml|json|sql)$/i;

/** Liquibase's own command line on its own changelog, with its history in databasechangelog. */
export function liquibaseEngine(folder: string): MigrationEngine {
  return {
    name: 'liquibase',
    pending: async (client) =>
      [...(await updateSql(client, folder)).matchAll(/^-- Changeset (.+)::(.+)::(.+)$/gm)].map(
        ([, file = '', id = '', author = '']) => ({ version: id, name: `${author}, ${file}` }),
      ),
    rehearse: async (client, _say, owner) =>
      rehearseScripts(client, owner, [
        { path: `${folder} (update-sql)`, bytes: Buffer.from(await updateSql(client, folder)) },
      ]),
    apply: async (target) => {
      const { reading, writing } = await historySessions(target);
      const before = new Set((await reading(executed)).map(key));
      await withMigrationRole(target, async (login) => {
        await writing(freeLock);
        await runTool({
          tool: liquibase,
          args: [...(await changelogArgs(folder)), '--show-banner=false', 'update'],
          cwd: folder,
          log: target.log,
          signal: target.signal,
          secret: login.password,
          env: {
            LIQUIBASE_COMMAND_URL: jdbcUrlOf(login),
            LIQUIBASE_COMMAND_USERNAME: login.user,
            LIQUIBASE_COMMAND_PASSWORD: login.password,
          },
          silence: target.statementTimeout && target.statementTimeout + 60_000,
          onLine: (line) => target.onProgress(0, 0, line),
          state:
            'Liquibase rolls a failed changeset back, those before it are applied, but for changesets that say ' +
            'runInTransaction false. The candidate can be resumed: fix the changeset and migrate again.',
        });
      });
      return (await reading(executed)).filter((row) => !before.has(key(row)));
    },
  };
}

const key = ({ version, name }: Migration): string => `${version}::${name}`;

function executed(client: Client): Promise<Migration[]> {
  return historyRows<Migration>(
    client,
    'databasechangelog',
    "id AS version, author || ', ' || filename AS name",
    'orderexecuted',
  );
}

/** A run that was killed leaves its lock in a table. All its sessions are ended by now: nobody holds it. */
async function freeLock(client: Client): Promise<void> {
  const table = await historyTable(client, 'databasechangeloglock');
  if (table !== undefined)
    await client.query(`UPDATE ${table} SET locked = false, lockgranted = NULL, lockedby = NULL WHERE locked`);
}

/** The SQL of what is pending, made without a connection: Liquibase reads the history from a file that we write. */
async function updateSql(client: Client, folder: string): Promise<string> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'verdigris-liquibase-'));
  try {
    const history = path.join(scratch, 'history.csv');
    if ((await historyTable(client, 'databasechangelog')) !== undefined)
      await writeFile(history, await historyCsv(client));
    const lines = await runTool({
      tool: liquibase,
      args: [...(await changelogArgs(folder)), '--show-banner=false', 'update-sql'],
      cwd: folder,
      env: { LIQUIBASE_COMMAND_URL: `offline:postgresql?changeLogFile=${history}&outputLiquibaseSql=none` },
      silence: 120_000,
      state: 'It was a dry run: nothing is applied.',
    }).catch((error: unknown) => {
      throw (error as { id?: string }).id === 'engine-missing'
        ? error
        : effectUnknown(
            'Liquibase',
            `update-sql without a database failed${error instanceof VerdigrisError ? `: ${error.seen}` : ''}`,
            error,
          );
    });
    return lines.join('\n');
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

const csvColumns = [
  'id',
  'author',
  'filename',
  'dateexecuted',
  'orderexecuted',
  'exectype',
  'md5sum',
  'description',
  'comments',
  'tag',
  'liquibase',
  'contexts',
  'labels',
  'deployment_id',
];

function asText(column: string): string {
  return column === 'dateexecuted'
    ? `to_char(dateexecuted, 'YYYY-MM-DD"T"HH24:MI:SS.MS') AS dateexecuted`
    : `${column}::text`;
}

async function historyCsv(client: Client): Promise<string> {
  const table = await historyTable(client, 'databasechangelog');
  const found = await rows<Record<string, string | null>>(
    client,
    `SELECT ${csvColumns.map(asText).join(', ')} FROM ${table} ORDER BY orderexecuted`,
  );
  const quote = (value: string | null | undefined): string => `"${(value ?? '').replaceAll('"', '""')}"`;
  return [
    csvColumns.map((name) => quote(name.toUpperCase())),
    ...found.map((row) => csvColumns.map((name) => quote(row[name]))),
  ]
    .map((fields) => `${fields.join(',')}\n`)
    .join('');
}

async function changelogArgs(folder: string): Promise<string[]> {
  const properties = await readFile(path.join(folder, 'liquibase.properties'), 'utf8').catch(() => '');
  if (/^\s*(changeLogFile|changelog-file|liquibase\.command\.changelogFile)\s*[=:]/im.test(properties)) return [];
  const found = (await readdir(folder)).filter((name) => changelogName.test(name));
  if (found.length === 1) return [`--changelog-file=${found[0]}`];
  throw new VerdigrisError('changelog-unclear', {
    seen: `${folder} has ${found.length === 0 ? 'no file named as a changelog is' : `several changelogs: ${found.join(', ')}`}.`,
    required: 'one root: changelog.xml, db.changelog-master.yaml and the like.',
    next: 'name it in liquibase.properties: changeLogFile=….',
  });
}
