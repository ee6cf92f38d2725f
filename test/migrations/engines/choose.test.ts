import { rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { chooseEngine, readingEngine } from '../../../src/migrations/engines/choose.ts';
import { recognise } from '../../../src/migrations/engines/recognise.ts';
import { findTool } from '../../../src/migrations/engines/tool.ts';
import { parseEnvironment } from '../../../src/model/environment.ts';
import { temporaryFolder } from '../../support/postgres.ts';
import { fill } from './folder.ts';
import { examples, withBench } from './support.ts';

test.each(['sql', 'flyway', 'liquibase', 'prisma', 'node-pg-migrate'] as const)(
  'the example of %s is known by its files',
  async (engine) => {
    expect((await readingEngine(path.join(examples, engine), undefined)).name).toBe(engine);
  },
);

async function withFiles(
  files: Readonly<Record<string, string>>,
  use: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await temporaryFolder();
  try {
    await fill(folder, files);
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('files of two engines in one folder are refused, with both named; a declared engine decides', async () => {
  await withFiles({ 'V1__a.sql': '', '0001_b.sql': '' }, async (folder) => {
    await expect(readingEngine(folder, undefined)).rejects.toMatchObject({
      id: 'migrations-two-engines',
      seen: expect.stringMatching(/0001_b\.sql \(sql or .*V1__a\.sql \(flyway or refinery\)/),
    });
    expect((await readingEngine(folder, 'flyway')).name).toBe('flyway');
    expect((await readingEngine(folder, { command: ['true'] })).name).toBe('command');
  });
  await withFiles({ 'changelog.xml': '', 'prisma/schema.prisma': '' }, async (folder) => {
    await expect(recognise(folder)).rejects.toMatchObject({ id: 'migrations-two-engines' });
  });
  // node-pg-migrate takes SQL files too.
  await withFiles({ '1_a.js': '', '2_b.sql': 'SELECT 1;' }, async (folder) =>
    expect(await recognise(folder)).toEqual(['node-pg-migrate']),
  );
});

test.each([
  [['golang-migrate', 'sqlx'], { '1_a.up.sql': '', '1_a.down.sql': '' }],
  [['goose'], { '1_a.sql': '-- +goose Up\n' }],
  [['dbmate'], { '1_a.sql': '-- migrate:up\n' }],
  [['sql-migrate'], { '1_a.sql': '-- +migrate Up\n' }],
  [['tern'], { '001_a.sql': 'SELECT 1;', '002_b.sql': 'SELECT 2;\n---- create above / drop below ----\n' }],
  [['diesel'], { '2024-01-15-120000_a/up.sql': '', '00000000000000_diesel_initial_setup/up.sql': '' }],
  [['diesel', 'sql'], { '1528395834/up.sql': '' }],
  [['sql'], { '1528395834/up.sql': '', '1528395834/metadata.yaml': '' }],
  [['flyway', 'refinery'], { 'V1__a.sql': '', 'V2__b.sql': '' }],
  [['refinery'], { 'V1__a.sql': '', 'refinery.toml': '' }],
  [['flyway'], { 'V1__a.sql': '', 'V1.1__b.sql': '' }],
  [['flyway'], { 'V1__a.sql': '', 'R__c.sql': '' }],
  [['drizzle'], { '0000_a.sql': '', 'meta/_journal.json': '' }],
  [['drizzle'], { '20260101000000_a/migration.sql': '', '20260101000000_a/snapshot.json': '' }],
  [['prisma', 'drizzle'], { '20260101000000_a/migration.sql': '' }],
  [['prisma'], { '20260101000000_a/migration.sql': '', 'migration_lock.toml': '' }],
  [['atlas'], { '20260101000000_a.sql': '', 'atlas.sum': '' }],
  [['node-pg-migrate'], { '1_a.js': 'export const up = (pgm) => pgm.sql("SELECT 1");' }],
])('a folder fits only whom all its files fit: %j', async (engines, files) => {
  await withFiles(files as Record<string, string>, async (folder) => expect(await recognise(folder)).toEqual(engines));
});

test.each(['20260101_a.ts', '00002_b.go'])(
  'code of a tool that Verdigris does not run is refused: %s',
  async (name) => {
    await withFiles({ [name]: 'export async function up(knex) {}', '00001_a.sql': '-- +goose Up\n' }, async (folder) =>
      expect(recognise(folder)).rejects.toMatchObject({
        id: 'migrations-code',
        seen: expect.stringContaining(name),
        next: expect.stringContaining('command'),
      }),
    );
  },
);

test('where several fit, the history in the database says which; without one, plain SQL goes on or the declaration is asked', async () => {
  await withBench(undefined, async ({ client, folder, write }) => {
    const chosen = async (): Promise<string> => (await chooseEngine(folder, undefined, client)).name;
    await write('20260101000000_a.sql', 'SELECT 1;');
    expect(await chosen()).toBe('sql');
    await client.query(
      'CREATE SCHEMA supabase_migrations; CREATE TABLE supabase_migrations.schema_migrations (version text PRIMARY KEY, statements text[], name text)',
    );
    expect(await chosen()).toBe('supabase');
    await client.query("INSERT INTO verdigris.migration VALUES ('20260101000000', 'a', 'x', '1', 1, now(), now())");
    expect(await chosen()).toBe('sql');
    await client.query('DELETE FROM verdigris.migration');
    await rm(path.join(folder, '20260101000000_a.sql'));
    await write('0001_a.up.sql', 'SELECT 1;');
    await expect(chosen()).rejects.toMatchObject({
      id: 'engine-unclear',
      seen: expect.stringMatching(/golang-migrate or sqlx.*no history/),
      next: expect.stringContaining('engine: golang-migrate'),
    });
    await client.query('CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)');
    expect(await chosen()).toBe('golang-migrate');
  });
});

test('an engine that is not installed says how to get it', async () => {
  await withFiles({}, async (folder) => {
    await expect(
      findTool({ name: 'Flyway', command: 'flyway-nowhere', get: 'install it' }, folder),
    ).rejects.toMatchObject({ code: 'declaration', id: 'engine-missing', next: 'install it' });
  });
});

test('the declaration takes an engine by name or as a command, and refuses others with the path', () => {
  const declare = (engine: unknown) =>
    parseEnvironment(
      {
        name: 'shop',
        platform: 'local',
        database: 'shop',
        roles: { application: ['app'] },
        colours: { blue: { release: '1', postgres: 17, engine } },
        live: 'blue',
      },
      'the test',
    );
  expect(declare('prisma').colours.blue?.engine).toBe('prisma');
  expect(declare({ command: ['make', 'migrate'] }).colours.blue?.engine).toEqual({ command: ['make', 'migrate'] });
  expect(() => declare('sqitch')).toThrow(/colours\.blue\.engine/);
  expect(() => declare({ command: [] })).toThrow(/colours\.blue\.engine/);
});
