import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { one, rows, type Client } from '../../../src/postgres/client.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { loadScript, type Loaded, type LoadOptions } from '../../../src/postgres/script/run.ts';
import { generateSample } from '../../../src/sample/generate.ts';
import { checkSample } from '../../../src/sample/check.ts';
import { createSampleSchema } from '../../../src/sample/sample.ts';
import { withNewestPgDump } from '../../support/client-programs.ts';
import { connectionTo, temporaryFolder, testMajor, withDatabase } from '../../support/postgres.ts';

async function load(client: Client, script: string | Buffer, options: LoadOptions = {}): Promise<Loaded> {
  const folder = await temporaryFolder();
  try {
    const file = path.join(folder, 'script.sql');
    await writeFile(file, script);
    return await loadScript(client, file, options);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('runs statements, rows and commands of a script, says what it left out, and resets the session', async () => {
  await withDatabase(async (client) => {
    const notices: string[] = [];
    const progress: number[] = [];
    const script = `\uFEFF\\restrict token
\\set ON_ERROR_STOP on
\\pset pager off
\\encoding UTF8
DROP DATABASE IF EXISTS shop; CREATE DATABASE shop ENCODING 'UTF8';
\\c shop;
\\connect -reuse-previous=on "dbname='shop'"
SET client_encoding = 'UTF8';
SET transaction_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
\\echo 'so far' so good
CREATE TABLE public.t (a int, b text);
COPY public.t (a, b) FROM stdin;
1\tone; two
2\t\\N
3\tà\\nb
\\.
COPY public.t FROM stdin WITH (FORMAT csv);
4,"x;
y"
\\.
DO $$ BEGIN RAISE NOTICE 'hello'; END $$;
UPDATE public.t SET b = 'last'
  WHERE a = 2;
\\unrestrict token
`;
    const loaded = await load(client, script, {
      onNotice: (text) => notices.push(text),
      onProgress: (bytes, total) => progress.push(bytes / total),
    });
    expect(loaded).toMatchObject({ statements: testMajor >= 17 ? 7 : 6, rows: 4 });
    const timeout = testMajor >= 17 ? [] : [[9, 'SET transaction_timeout = 0']];
    expect(loaded.skipped.map(({ line, text }) => [line, text])).toEqual([
      [1, '\\restrict token'],
      [2, '\\set ON_ERROR_STOP on'],
      [3, '\\pset pager off'],
      [4, '\\encoding UTF8'],
      [5, 'DROP DATABASE IF EXISTS shop'],
      [5, "CREATE DATABASE shop ENCODING 'UTF8'"],
      [6, '\\c shop;'],
      [7, '\\connect -reuse-previous=on "dbname=\'shop\'"'],
      [8, "SET client_encoding = 'UTF8'"],
      ...timeout,
      [25, '\\unrestrict token'],
    ]);
    expect(notices).toContain('NOTICE: hello');
    expect(notices).toContain('so far so good');
    expect(progress.at(-1)).toBe(1);
    expect(await rows(client, 'SELECT a, b FROM t ORDER BY a')).toEqual([
      { a: 1, b: 'one; two' },
      { a: 2, b: 'last' },
      { a: 3, b: 'à\nb' },
      { a: 4, b: 'x;\ny' },
    ]);
    expect(
      await one(client, "SELECT current_setting('search_path') AS path, current_setting('synchronous_commit') AS sync"),
    ).toEqual({ path: '"$user", public', sync: 'local' });
  });
});

test('what a script says of its database is said of the one that it is loaded into', async () => {
  await withDatabase(async (client) => {
    const script = `ALTER DATABASE "the; shop" OWNER TO nobody_there; ALTER DATABASE "the; shop" SET TABLESPACE pg_default;
ALTER DATABASE "the; shop" SET "TimeZone" TO 'Asia/Kolkata'; ALTER DATABASE shop SET search_path TO 'public', 'a b'; alter database shop set work_mem = '9MB';
ALTER DATABASE shop RESET work_mem; COMMENT ON DATABASE shop IS 'the shop''s';
CREATE ROLE script_boss; ALTER ROLE script_boss IN DATABASE "the; shop" SET lock_timeout TO '3s'; GRANT CONNECT ON DATABASE shop TO script_boss;`;
    try {
      expect(await load(client, script)).toMatchObject({ statements: 7 });
      const { database } = await one<{ database: string }>(client, 'SELECT current_database() AS database');
      expect(
        await rows(
          client,
          `SELECT r.rolname AS role, s.setconfig AS settings, shobj_description(d.oid, 'pg_database') AS comment FROM pg_db_role_setting s
          JOIN pg_database d ON d.oid = s.setdatabase LEFT JOIN pg_roles r ON r.oid = s.setrole WHERE d.datname = $1 ORDER BY 1 NULLS FIRST`,
          [database],
        ),
      ).toEqual([
        { role: null, settings: ['TimeZone=Asia/Kolkata', 'search_path=public, "a b"'], comment: "the shop's" },
        { role: 'script_boss', settings: ['lock_timeout=3s'], comment: "the shop's" },
      ]);
    } finally {
      await client.query('ALTER ROLE script_boss RESET ALL').catch(() => undefined);
      await client.query('DROP ROLE IF EXISTS script_boss');
    }
  });
});

const refusals: readonly (readonly [string, string | Buffer, object])[] = [
  [
    'a statement that fails',
    'SELECT 1;\nSELECT\n  nothing\nFROM t;',
    {
      id: 'script-statement',
      facts: { line: 4, statementLine: 2, sqlstate: '42P01' },
      seen: expect.stringContaining('Line 4: relation "t" does not exist, in: SELECT nothing FROM t'),
    },
  ],
  [
    'a row that fails',
    'CREATE TABLE c (a int);\nCOPY c\n FROM stdin;\n1\n2\nx\n4\n\\.\n',
    { id: 'script-statement', facts: { line: 6, sqlstate: '22P02' } },
  ],
  [
    'COPY to a table that is missing',
    'COPY none FROM stdin;\n1\n\\.\n',
    { id: 'script-statement', facts: { line: 1, sqlstate: '42P01' } },
  ],
  [
    'a command that is not known',
    'SELECT 1;\n\\i other.sql\n',
    { id: 'script-meta', facts: { line: 2, command: 'i' } },
  ],
  ['a variable', '\\set who me\nSELECT :who;', { id: 'script-meta', facts: { line: 1 } }],
  [
    'a second database',
    '\\c a\nSELECT 1;\n\\c a\n\\c b\n',
    { id: 'script-database', facts: { line: 4, first: 'a', second: 'b' } },
  ],
  [
    'another encoding declared',
    "SELECT 1;\nSET client_encoding = 'LATIN1';",
    { id: 'script-encoding', facts: { line: 2, offset: 10 } },
  ],
  [
    'another encoding found',
    Buffer.concat([Buffer.from("SELECT '\uFFFD é", 'utf8'), Buffer.from([0xe9, 0x27])]),
    { id: 'script-encoding', facts: { offset: 14 } },
  ],
  ['Latin 1', Buffer.from("-- one\nSELECT 'caf\xe9';", 'latin1'), { id: 'script-encoding', facts: { offset: 18 } }],
  ['an archive', 'PGDMP\x01\x0e', { id: 'script-not-plain', next: expect.stringContaining('pg_restore') }],
  ['a gzip file', Buffer.from([0x1f, 0x8b, 8, 0]), { id: 'script-not-plain' }],
  ['an open transaction', 'BEGIN; CREATE TABLE half ();', { id: 'script-open-transaction' }],
  [
    'a role that is missing',
    'CREATE TABLE o (); ALTER TABLE o OWNER TO gone;',
    { id: 'script-statement', facts: { line: 1, sqlstate: '42704' }, next: expect.stringContaining('roles made') },
  ],
];

test('refuses what it cannot do, with the place; the connection is good afterwards', async () => {
  await withDatabase(async (client) => {
    for (const [name, script, error] of refusals) {
      await expect(load(client, script), name).rejects.toMatchObject(error);
      expect(await one(client, 'SELECT 1 AS one'), name).toEqual({ one: 1 });
    }
    for (const file of ['/nowhere.sql', '/'])
      await expect(loadScript(client, file)).rejects.toMatchObject({ id: 'script-unreadable' });
    expect(await rows(client, "SELECT FROM pg_class WHERE relname = 'half'")).toEqual([]);
  });
});

test('makes the roles that are missing, where it is told to', async () => {
  await withDatabase(async (client) => {
    const script = `CREATE TABLE t (); ALTER TABLE t OWNER TO "The Owner"; GRANT SELECT ON t TO r1, r2, PUBLIC;
      ALTER DEFAULT PRIVILEGES FOR ROLE r3 GRANT SELECT ON TABLES TO r1; CREATE SCHEMA s AUTHORIZATION r4; SET SESSION AUTHORIZATION 'r5'; SELECT 1;`;
    await load(client, script, { createMissingRoles: true });
    const made = await rows<{ rolname: string; rolcanlogin: boolean }>(
      client,
      'SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname !~ \'^(pg_|verdigris)\' ORDER BY rolname COLLATE "C"',
    );
    expect(made).toEqual(
      ['The Owner', 'r1', 'r2', 'r3', 'r4', 'r5'].map((rolname) => ({ rolname, rolcanlogin: false })),
    );
    expect(await one(client, 'SELECT session_user AS who')).toEqual({ who: 'verdigris_operator' });
  });
});

test('takes roles that the script makes as its own, also one that is there already, and a column named with a semicolon', async () => {
  await withDatabase(async (client) => {
    const script = `CREATE ROLE d1 NOLOGIN;\nCREATE SCHEMA d AUTHORIZATION d1;\nALTER SCHEMA d OWNER TO d2;\nCREATE USER d2;\nALTER ROLE d2 LOGIN;
CREATE TABLE d.t ("o;x" text);\nCOPY d.t ("o;x") FROM stdin;\nc;d\n\\.\n`;
    const loaded = await load(client, script, { createMissingRoles: true });
    expect(loaded.skipped.map(({ text }) => text)).toEqual(['CREATE USER d2']);
    expect(
      await one(
        client,
        "SELECT (SELECT rolcanlogin FROM pg_roles WHERE rolname = 'd2') AS login, (SELECT * FROM d.t) AS x",
      ),
    ).toEqual({ login: true, x: 'c;d' });
  });
});

test('stops where it is told to, between statements and within rows', async () => {
  await withDatabase(async (client) => {
    const stop = new AbortController();
    const script = 'CREATE TABLE t (a int);\n\\echo now\nSELECT 1;\n';
    await expect(
      load(client, script, { signal: stop.signal, onNotice: (text) => text === 'now' && stop.abort() }),
    ).rejects.toMatchObject({ code: 'interrupted', id: 'script-interrupted' });
    const inRows = new AbortController();
    const many = `COPY t FROM stdin;\n${'1\n'.repeat(1_000_000)}\\.\n`;
    await expect(load(client, many, { signal: inRows.signal, onProgress: () => inRows.abort() })).rejects.toMatchObject(
      { id: 'script-interrupted' },
    );
    expect(await one(client, 'SELECT count(*)::int AS n FROM t')).toEqual({ n: 0 });
  });
});

const chinook = process.env['VERDIGRIS_TEST_CHINOOK'] ?? '../shared/data/chinook.sql';

test.runIf(existsSync(chinook) || process.env['CI'] !== undefined)('loads a real script, Chinook', async () => {
  await withDatabase(async (client) => {
    const loaded = await loadScript(client, chinook);
    expect(loaded.skipped.map(({ text }) => text)).toEqual([
      'DROP DATABASE IF EXISTS chinook_serial',
      'CREATE DATABASE chinook_serial',
      '\\c chinook_serial;',
    ]);
    expect(
      await one(
        client,
        `SELECT (SELECT count(*)::int FROM track) AS tracks, (SELECT count(*)::int
          FROM invoice_line) AS lines, (SELECT count(*)::int FROM playlist_track) AS listed, (SELECT sum(total) FROM invoice) AS total`,
      ),
    ).toEqual({ tracks: 3503, lines: 2240, listed: 8715, total: '2328.60' });
  });
});

/** In CI: the program is fetched by pip, which not every machine has. */
test.runIf(process.env['CI'] !== undefined).for(['--format=plain', '--create', '--inserts'])(
  'what pg_dump %s makes of the sample loads elsewhere, row for row',
  async (option) => {
    onTestFinished(await withNewestPgDump());
    const folder = await temporaryFolder();
    const file = path.join(folder, 'dump.sql');
    try {
      const before = await withDatabase(async (client, server) => {
        await client.query('CREATE ROLE shop_app; CREATE ROLE shop_reader; CREATE ROLE keeper');
        await createSampleSchema(client);
        await generateSample(client, { scale: 0.2 });
        await client.query('ALTER VIEW shop.order_overview OWNER TO keeper');
        const { host, port, user, database } = connectionTo(server, 'test');
        await execa('pg_dump', ['-h', host, '-p', String(port), '-U', user, '-f', file, option, database]);
        return counts(client);
      });
      await withDatabase(async (client, server) => {
        await withClient(connectionTo(server, 'test'), 'test', async (fresh) =>
          loadScript(fresh, file, { createMissingRoles: true }),
        );
        expect(await counts(client)).toEqual(before);
        expect(await checkSample(client)).toEqual([]);
        expect(
          await one(
            client,
            "SELECT rolname FROM pg_class c JOIN pg_roles r ON r.oid = relowner WHERE c.oid = 'shop.order_overview'::regclass",
          ),
        ).toEqual({ rolname: 'keeper' });
        expect(
          (
            await client.query(
              'SELECT shop.pay_order(shop.place_order(1, \'[{"product_id": 1, "quantity": 1}]\'), \'card\')',
            )
          ).rowCount,
        ).toBe(1);
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);

async function counts(client: Client): Promise<Record<string, number>> {
  const tables = await rows<{ name: string }>(
    client,
    "SELECT oid::regclass::text AS name FROM pg_class WHERE relkind IN ('r', 'm') AND relnamespace = 'shop'::regnamespace",
  );
  const all: Record<string, number> = {};
  for (const { name } of tables)
    all[name] = (await one<{ n: number }>(client, `SELECT count(*)::int AS n FROM ${name}`)).n;
  return all;
}
