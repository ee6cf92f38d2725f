import { rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { formatOf, isNative } from '../../../src/migrations/engines/native/format.ts';
import { recognise } from '../../../src/migrations/engines/recognise.ts';
import { declaredMigrations, judgeBeforeSeed } from '../../../src/migrations/engines/declared.ts';
import type { SqlFile } from '../../../src/migrations/engines/sql/file.ts';
import { sqlFilesEngine } from '../../../src/migrations/engines/sql/engine.ts';
import { compareVersions, readSqlFiles } from '../../../src/migrations/engines/sql/files.ts';
import { readTables } from '../../../src/postgres/catalogue.ts';
import { failure } from '../../support/failure.ts';
import { temporaryFolder } from '../../support/postgres.ts';
import { fill } from './folder.ts';
import { withBench } from './support.ts';

async function readFiles(files: Readonly<Record<string, string>>): Promise<SqlFile[]> {
  const folder = await temporaryFolder();
  try {
    await fill(folder, files);
    const [name = 'sql'] = await recognise(folder);
    if (!isNative(name)) throw new Error(`${name} is run by its tool`);
    return await readSqlFiles(folder, formatOf(name));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function read(files: Readonly<Record<string, string>>): Promise<string[]> {
  return (await readFiles(files)).map(
    ({ version, name, statements, transactional }) =>
      `${version} ${name}: ${statements.map(({ text }) => text).join('; ')}${transactional ? '' : ' (one by one)'}`,
  );
}

const refusal = (files: Readonly<Record<string, string>>): Promise<unknown> =>
  read(files).catch((error: unknown) => error);

test('of ways up and ways back beside each other only the ways up are read', async () => {
  expect(await read({ '000001_a.up.sql': 'SELECT 1', '000001_a.down.sql': 'this never runs' })).toEqual([
    '000001 a: SELECT 1',
  ]);
  expect(
    await read({ '2_b.do.sql': 'SELECT 2', '2_b.undo.sql': 'nor this', '3_slow_down.do.sql': 'SELECT 3' }),
  ).toEqual(['2 b: SELECT 2', '3 slow_down: SELECT 3']);
  expect(await read({ '3_slow_down.sql': 'SELECT 3' })).toEqual(['3 slow_down: SELECT 3']);
  expect(
    await read({
      '1_a_up.sql': 'SELECT 1',
      '1_a_down.sql': 'never',
      '2_b.sql': 'SELECT 2',
      '2_b.rollback.sql': 'nor this',
    }),
  ).toEqual(['1 a_up: SELECT 1', '2 b: SELECT 2']);
  // golang-migrate would leave the plain one out.
  expect(await refusal({ '1_a.up.sql': 'SELECT 1', '2_b.sql': 'SELECT 2' })).toMatchObject({
    id: 'migrations-two-engines',
  });
});

test('a file is read whatever the case of its ending, or refused where its tool would not read it; one in a folder below is missed', async () => {
  expect(await read({ '1_a.SQL': 'SELECT 1', '2_b.sql': 'SELECT 2', '._2_b.sql': 'no' })).toEqual([
    '1 a: SELECT 1',
    '2 b: SELECT 2',
  ]);
  expect(await refusal({ '1_a.sql': '-- +goose Up\nSELECT 1;', '2_b.SQL': '-- +goose Up\nSELECT 2;' })).toMatchObject({
    id: 'migration-name',
    seen: expect.stringContaining('2_b.SQL'),
  });
  expect(await refusal({ '1_a.sql': 'SELECT 1', 'orders/2_b.sql': 'SELECT 2' })).toMatchObject({
    id: 'migration-name',
    seen: expect.stringContaining('orders/2_b.sql'),
  });
  expect(await read({ '1_a.sql': 'SELECT 1', 'seeds/1_people.sql': 'no', 'docs/a.sql': 'no' })).toEqual([
    '1 a: SELECT 1',
  ]);
});

test('a savepoint is part of a transaction, and refused where a file has none', async () => {
  expect(await read({ '1_a.sql': 'SAVEPOINT a; SELECT 1; RELEASE a' })).toEqual([
    '1 a: SAVEPOINT a; SELECT 1; RELEASE a',
  ]);
  for (const text of ['-- verdigris: no-transaction\nSAVEPOINT a', 'VACUUM; SAVEPOINT a', 'SELECT 1; ROLLBACK'])
    expect(await refusal({ '1_a.sql': text }), text).toMatchObject({ id: 'migration-forbidden' });
});

test('a moment as ISO 8601 writes it is one version', async () => {
  expect(await read({ '20260115T120000Z_a.sql': 'SELECT 1', '2026-01-15T13-00-00_b.sql': 'SELECT 2' })).toEqual([
    '2026-01-15T13-00-00 b: SELECT 2',
    '20260115T120000 a: SELECT 1',
  ]);
});

test('a folder is a migration where it has up.sql; the way back is left alone', async () => {
  expect(
    await read({
      '2024-01-15-120000_a/up.sql': 'SELECT 1',
      '2024-01-15-120000_a/down.sql': 'never',
      '1528395834/up.sql': 'SELECT 0',
      '2024-02-01-090000_b.sql/up.sql': 'SELECT 2',
    }),
  ).toEqual(['2024-01-15-120000 a: SELECT 1', '2024-02-01-090000 b: SELECT 2', '1528395834 1528395834: SELECT 0']);
  expect(await refusal({ '0001_a.sql': 'SELECT 1', '0002_b.sql/main.sql': 'SELECT 2' })).toMatchObject({
    id: 'migration-name',
    seen: expect.stringContaining('0002_b.sql'),
  });
});

test('the version is all numbers that a name begins with', async () => {
  expect(
    await read({
      '101_02_c.sql': 'SELECT 3',
      '101_01_b.sql': 'SELECT 2',
      '9_10_2fa.sql': 'SELECT 1',
      '2026-01-15-120000_e.sql': 'SELECT 5',
      '2026-01-15-090000_d.sql': 'SELECT 4',
    }),
  ).toEqual([
    '9_10 2fa: SELECT 1',
    '101_01 b: SELECT 2',
    '101_02 c: SELECT 3',
    '2026-01-15-090000 d: SELECT 4',
    '2026-01-15-120000 e: SELECT 5',
  ]);
  expect(await refusal({ '1_a.sql': 'SELECT 1', '01_b.sql': 'SELECT 2' })).toMatchObject({
    id: 'migration-duplicate',
    seen: expect.stringMatching(/1_a\.sql/),
  });
  expect(compareVersions('20240101000000124', '20240101000000123')).toBe(1);
});

test.each([
  ['goose', '-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;'],
  [
    'goose behind a byte order mark',
    '\ufeff-- +goose Up\n-- +goose StatementBegin\nSELECT 1;\n-- +goose StatementEnd\n-- +goose Down\nSELECT 2;',
  ],
  ['dbmate', '-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;'],
  ['sql-migrate', '-- +migrate Up\nSELECT 1;\n-- +migrate Down\nSELECT 2;'],
  ['tern', 'SELECT 1;\n---- create above / drop below ----\nSELECT 2;'],
])('of a file of %s only the way up runs', async (_, text) => {
  expect(await read({ '0001_a.sql': text })).toEqual(['0001 a: SELECT 1']);
});

test.each(['-- +goose ENVSUB ON\n-- +goose Up\nSELECT 1;', '-- migrate:up env:THEME\nSELECT 1;'])(
  'values of the environment in a file are refused: %j',
  async (text) => {
    expect(await refusal({ '0001_a.sql': text })).toMatchObject({
      id: 'migration-forbidden',
      seen: expect.stringMatching(/0001_a\.sql:1: .* values of the environment/),
      next: expect.stringContaining('command'),
    });
  },
);

test('a file that is one transaction by its own words runs as one, whatever its notes ask for', async () => {
  expect(await read({ '1_a.sql': 'BEGIN;\nSELECT 1;\nSELECT 2;\nCOMMIT;\n-- done' })).toEqual([
    '1 a: SELECT 1; SELECT 2',
  ]);
  expect(
    await read({ '1_a.sql': '-- +goose NO TRANSACTION\n-- +goose Up\nSTART TRANSACTION;\nSELECT 1;\nEND;' }),
  ).toEqual(['1 a: SELECT 1']);
});

test('of a file with several transactions each stays one, and what is outside of them is apart', async () => {
  const parts = async (text: string): Promise<string> => {
    const [file] = await readFiles({ '1_a.sql': text });
    if (!file) return '';
    const said = file.statements.map(({ text: sql, transaction = '-' }) => `${transaction} ${sql}`).join('; ');
    return `${file.transactional ? 'one' : 'apart'}: ${said}`;
  };
  expect(await parts('BEGIN; SELECT 1; SELECT 2; COMMIT; BEGIN; END; VACUUM; BEGIN; SELECT 3; COMMIT;')).toBe(
    'apart: 0 SELECT 1; 0 SELECT 2; - VACUUM; 2 SELECT 3',
  );
  expect(await parts('SELECT 1; START TRANSACTION; SAVEPOINT a; ROLLBACK TO a; COMMIT;')).toBe(
    'apart: - SELECT 1; 0 SAVEPOINT a; 0 ROLLBACK TO a',
  );
  // A setting of the session is the same within.
  expect(await parts('SET x.y = 1; BEGIN; SELECT 1; COMMIT;')).toBe('one: - SET x.y = 1; - SELECT 1');
  expect(await parts('SET LOCAL x.y = 1; BEGIN; SELECT 1; COMMIT;')).toBe('apart: - SET LOCAL x.y = 1; 0 SELECT 1');
});

test.each([
  ['a transaction inside of one', 'BEGIN; SELECT 1; BEGIN; SELECT 2; COMMIT;', 'inside of one'],
  ['one without an end', 'BEGIN; SELECT 1; COMMIT; BEGIN; SELECT 2;', 'does not end'],
  ['an end alone', 'SELECT 1; COMMIT; SELECT 2;', 'has not begun'],
  ['the next at once', 'BEGIN; SELECT 1; COMMIT AND CHAIN; SELECT 2; COMMIT;', 'AND CHAIN'],
  ['an isolation of its own', 'BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1; COMMIT;', 'isolation'],
  ['one that is taken back', 'BEGIN; SELECT 1; ROLLBACK;', 'takes back'],
  ['what cannot run inside', 'BEGIN; CREATE INDEX CONCURRENTLY ON t (i); COMMIT;', 'cannot run inside'],
  [
    'what cannot run inside of the second',
    'BEGIN; SELECT 1; COMMIT; BEGIN; CREATE INDEX CONCURRENTLY ON t (i); COMMIT;',
    'cannot run inside',
  ],
  ['a savepoint outside', 'BEGIN; SELECT 1; COMMIT; SAVEPOINT a; SELECT 2;', 'works only inside of a transaction'],
])('any other transaction in a file is refused: %s', async (_, text, why) => {
  expect(await refusal({ '1_a.sql': text })).toMatchObject({
    id: 'migration-forbidden',
    seen: expect.stringContaining(why),
  });
});

test('before a seed a folder is refused where another tool has run and no engine is declared', async () => {
  await withBench('sql', async ({ client, folder }) => {
    await judgeBeforeSeed(client, { migrations: folder });
    await client.query('CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)');
    await expect(judgeBeforeSeed(client, { migrations: folder })).rejects.toMatchObject({
      code: 'declaration',
      id: 'migrations-of-tool',
      seen: expect.stringMatching(/^schema_migrations says/),
    });
    await judgeBeforeSeed(client, { migrations: folder, engine: 'sql' });
    expect(await readTables(client)).toEqual([]);
  });
  await expect(declaredMigrations({ migrations: '/nowhere' })).rejects.toMatchObject({ id: 'migrations-missing' });
});

test('what is wrong in a file is said where that is to run, and no more once it has run or lies before the baseline', async () => {
  await withBench(undefined, async ({ client, folder, write, apply }) => {
    await client.query('CREATE TABLE a (i int)');
    await write('0001_dump.sql', '\\restrict x\nCREATE TABLE a (i int);\nCOPY a FROM stdin;\n1\n\\.\n');
    await write('0002_role.sql', 'CREATE ROLE somebody');
    await write('0003_old.sql', Buffer.from("SELECT 'caf\xe9'", 'latin1').toString('latin1'));
    await write('0004_next.sql', 'ALTER TABLE a ADD COLUMN j int');
    const parts = { folder, format: formatOf('sql') };
    const fresh = sqlFilesEngine(parts);
    expect(await failure(fresh.pending(client))).toMatchObject({ id: 'psql-command' });
    expect(await failure(sqlFilesEngine({ ...parts, baseline: '0001' }).pending(client))).toMatchObject({
      id: 'migration-forbidden',
    });
    const begun = sqlFilesEngine({ ...parts, baseline: '0003' });
    expect(await begun.pending(client)).toEqual([{ version: '0004', name: 'next' }]);
    expect((await begun.files?.())?.map(({ version }) => version)).toEqual(['0001', '0002', '0003', '0004']);
    expect(await apply(begun)).toHaveLength(1);
    // They are in the history now.
    expect(await fresh.pending(client)).toEqual([]);
    await write('0005_bad.sql', 'SELEC 1');
    expect(await failure(fresh.pending(client))).toMatchObject({ id: 'sql-syntax' });
  });
});

test('of a file of many thousand statements each has its line', async () => {
  const rows = Array.from({ length: 5_000 }, (_, id) => `INSERT INTO a\nVALUES (${id}, 'ä');`).join('\n');
  const [file] = await readFiles({ '1_a.sql': rows });
  expect(file?.statements.map(({ line }) => line)).toEqual(Array.from({ length: 5_000 }, (_, id) => 2 * id + 1));
});

test('a link that leads nowhere is named as the file that is missing', async () => {
  const folder = await temporaryFolder();
  await symlink('nowhere.sql', path.join(folder, '0001_a.sql'));
  await expect(recognise(folder)).resolves.toContain('sql');
  expect(await failure(readSqlFiles(folder))).toMatchObject({ id: 'migrations-missing' });
  await rm(folder, { recursive: true });
});
