import { execFileSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { recognise } from '../../src/migrations/engines/recognise.ts';
import { readSqlFiles } from '../../src/migrations/engines/sql/files.ts';
import { temporaryFolder } from '../support/postgres.ts';

async function refusal(content: string | Uint8Array): Promise<unknown> {
  const folder = await temporaryFolder();
  try {
    await writeFile(path.join(folder, '0001_a.sql'), content);
    return await readSqlFiles(folder).then(
      () => 'taken',
      (error: unknown) => error,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

test.each<[string, string | Uint8Array, string, string]>([
  ['SQL that does not parse', 'SELECT 1;\nCREATE TABEL t ();', 'sql-syntax', '0001_a.sql:2:8'],
  ['an error behind letters of several bytes', "SELECT 'ä€😀';\nSELECT 'ä' FRM t;", 'sql-syntax', '0001_a.sql:2:16'],
  ['a string without an end', "SELECT 'open;\n\n", 'sql-syntax', '0001_a.sql:1:8'],
  [
    'another database, by psql',
    '\\connect other\nSELECT 1;',
    'psql-command',
    '0001_a.sql:1: \\connect is a command of psql',
  ],
  ['another database, in short', 'SELECT 1;\n\\c other\nSELECT 1;', 'psql-command', '0001_a.sql:2'],
  ['a file of psql', '\\i more.sql', 'psql-command', '\\i'],
  ['LATIN1', Buffer.from("SELECT 'caf\xe9';", 'latin1'), 'not-utf8', 'is not UTF-8'],
  ['UTF-16', Buffer.from('\ufeffSELECT 1;', 'utf16le'), 'not-utf8', 'is not UTF-8'],
  ['UTF-16 without its mark', Buffer.from('SELECT 1;', 'utf16le'), 'not-utf8', 'is not UTF-8'],
  ['a zero byte', 'SELECT 1;\0SELECT 2;', 'not-utf8', '0001_a.sql: byte 9 is NUL'],
  ['rows of psql', 'COPY t (a) FROM stdin;\n1\n\\.\n', 'psql-command', '0001_a.sql:2: rows of a COPY'],
  [
    "an enum's value in the transaction that adds it",
    "ALTER TYPE mood ADD VALUE 'great';\nALTER TABLE t ALTER feel SET DEFAULT 'great';",
    'migration-forbidden',
    "0001_a.sql:2: this statement uses 'great', which line 1 adds",
  ],
  [
    'checks that Atlas makes before',
    '-- atlas:txtar\n\n-- checks.sql --\nSELECT false;\n-- migration.sql --\nSELECT 1;',
    'migration-forbidden',
    '0001_a.sql:1: -- atlas:txtar',
  ],
  [
    'a COMMIT',
    'CREATE TABLE t (i int); COMMIT; DROP TABLE t;',
    'migration-forbidden',
    '0001_a.sql:1: this statement ends a transaction that the file has not begun',
  ],
  ['a BEGIN', '\n\nBEGIN;\nSELECT 1;', 'migration-forbidden', '0001_a.sql:3'],
  ['a COMMIT in a block', 'DO $$ BEGIN PERFORM 1; COMMIT; END $$;', 'migration-forbidden', 'has a COMMIT inside'],
  ['a role', 'CREATE ROLE r', 'migration-forbidden', 'creates a role'],
  [
    'a role in a block',
    'DO $$ BEGIN IF true THEN CREATE ROLE r LOGIN; END IF; END $$;',
    'migration-forbidden',
    'holds one that creates a role',
  ],
  [
    'a role that a block executes, or a block in it',
    "DO $$ BEGIN DO $i$ BEGIN EXECUTE format('CREATE ROLE %I LOGIN', 'r'); END $i$; END $$;",
    'migration-forbidden',
    'holds one that creates a role',
  ],
  ['a user', "CREATE USER u PASSWORD 'x'", 'migration-forbidden', 'creates a role'],
  ['a changed role', "ALTER ROLE app SET work_mem = '1GB'", 'migration-forbidden', 'changes a role'],
  ['a membership', 'GRANT owners TO app', 'migration-forbidden', 'member of a role'],
  ['a new database', 'CREATE DATABASE d', 'migration-forbidden', 'creates a database'],
  ['the server', 'ALTER SYSTEM SET work_mem = 1', 'migration-forbidden', 'changes the server'],
  ['dblink', "SELECT dblink_exec('dbname=other', 'DELETE FROM t')", 'migration-forbidden', 'by dblink'],
  [
    'dblink in a block',
    "DO $$ BEGIN PERFORM public.dblink_exec('dbname=other', 'DELETE FROM t'); END $$",
    'migration-forbidden',
    'by dblink',
  ],
  [
    'a foreign server',
    'CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw',
    'migration-forbidden',
    'another server',
  ],
  ['a program', "COPY t FROM PROGRAM 'curl example.org'", 'migration-forbidden', 'runs a program'],
  ['a file of the server', "COPY t FROM '/var/lib/t.csv'", 'migration-forbidden', 'a file of the server'],
  [
    'a subscription',
    "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p",
    'migration-forbidden',
    'creates a subscription',
  ],
])(
  '%s in a migration is refused before anything is seeded or run, with file and line',
  async (_, content, id, part) => {
    expect(await refusal(content)).toMatchObject({
      code: 'declaration',
      id,
      seen: expect.stringContaining(part),
      next: expect.stringMatching(/\w/),
    });
  },
);

test.each([
  [
    'a procedure that commits is only called later',
    'CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;',
  ],
  ['a block without', "DO $$ DECLARE n int; BEGIN SELECT count(*) INTO n FROM pg_class; EXECUTE 'SELECT 1'; END $$;"],
  ['privileges on objects', 'GRANT SELECT ON ALL TABLES IN SCHEMA public TO app'],
  ['a byte order mark', '\ufeffSELECT 1;'],
  ['nothing', ''],
  ['a way up of nothing', '-- +goose Up\n-- +goose Down\nDROP TABLE t;'],
  [
    'a value of an enum of its own',
    "CREATE TYPE mood AS ENUM ('ok'); ALTER TYPE mood ADD VALUE 'great'; SELECT 'great'::mood;",
  ],
  [
    'a new value outside a transaction',
    "-- verdigris: no-transaction\nALTER TYPE mood ADD VALUE 'great';\nUPDATE t SET feel = 'great';",
  ],
  ['words that only look like one', "SELECT 'dblink_exec', '\\connect x'; -- COMMIT"],
])('%s: taken', async (_, content) => {
  expect(await refusal(content)).toBe('taken');
});

test('a pipe that nobody writes to is refused, and not waited for', async () => {
  const folder = await temporaryFolder();
  onTestFinished(() => rm(folder, { recursive: true }));
  execFileSync('mkfifo', [path.join(folder, '0001_a.sql')]);
  expect(await recognise(folder)).toEqual([]);
  await expect(readSqlFiles(folder)).rejects.toMatchObject({
    id: 'migration-name',
    seen: expect.stringContaining('0001_a.sql'),
  });
});
