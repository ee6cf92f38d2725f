import { expect, test } from 'vitest';
import { withClient } from '../../../src/postgres/session.ts';
import { versionFindings } from '../../../src/postgres/preflight/server.ts';
import { connectionTo, testMajor, withDatabase } from '../../support/postgres.ts';
import { findingOf, fixes, runScript, sound } from './support.ts';

test('majors', async () => {
  expect(versionFindings(11, 17).map(({ id }) => id)).toEqual(['server-version']);
  expect(versionFindings(13, 14).map(({ id }) => id)).toEqual(['server-version']);
  expect(versionFindings(12, 17)).toEqual([]);
  expect(versionFindings(15, 18)).toEqual([]);
  await withDatabase(async (client) => {
    expect(await findingOf(client, 'candidate-older', { candidateMajor: testMajor - 1 })).toMatchObject({
      grade: 'refuse',
      objects: [`PostgreSQL ${testMajor - 1}`],
    });
  }, sound);
});

test('each other database is named with who may write there and what was written; one that is left out is listed all the same', async () => {
  await withDatabase(async (client, server) => {
    await client.query('CREATE ROLE clerk LOGIN');
    for (const name of ['billing', 'scratch']) await client.query(`CREATE DATABASE ${name}`);
    // A mark is no reason to leave rows behind: whoever set it may take it away again.
    await client.query('CREATE DATABASE shelf ALLOW_CONNECTIONS false');
    await client.query('CREATE DATABASE stamp IS_TEMPLATE true');
    await withClient(connectionTo(server, 'billing'), 'test', (billing) =>
      billing.query('CREATE TABLE bill (id int PRIMARY KEY); INSERT INTO bill SELECT generate_series(1, 1000)'),
    );
    const changes = { ignoreDatabases: ['scratch'] };
    expect(await findingOf(client, 'other-databases', changes)).toMatchObject({
      grade: 'refuse',
      objects: [
        expect.stringMatching(/^billing, open to clerk; [1-9]\d* rows written since it was made, \d sessions now$/),
        'shelf, open to nobody; 0 rows written since it was made, 0 sessions now',
        expect.stringMatching(
          /^stamp, a template, open to clerk; \d+ rows written since it was made, \d sessions now$/,
        ),
      ],
    });
    expect(await findingOf(client, 'databases-left-out', changes)).toMatchObject({
      grade: 'warn',
      objects: [expect.stringMatching(/^scratch, open to clerk; \d+ rows written since it was made, 0 sessions now$/)],
    });
  }, sound);
});

test('SQL_ASCII is warned of', async () => {
  await withDatabase(async (client, server) => {
    await client.query("CREATE DATABASE old ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C'");
    await withClient(connectionTo(server, 'old'), 'test', async (old) =>
      expect(await findingOf(old, 'database-encoding')).toMatchObject({ grade: 'warn', objects: ['SQL_ASCII'] }),
    );
  }, sound);
});

test('collations of another version: the database and named ones, with the indexes that the fix rebuilds', async () => {
  await withDatabase(async (client, server) => {
    await client.query(
      "CREATE DATABASE sorted LOCALE_PROVIDER icu ICU_LOCALE 'en' LOCALE 'C.UTF-8' TEMPLATE template0",
    );
    await withClient(connectionTo(server, 'sorted'), 'test', async (sorted) => {
      await sorted.query(
        `CREATE COLLATION german (provider = icu, locale = 'de');
          CREATE TABLE t (id int PRIMARY KEY, x text COLLATE german, y text COLLATE "fr-x-icu"); CREATE INDEX "I i" ON t (x); CREATE INDEX j ON t (y)`,
      );
      expect(await findingOf(sorted, 'collation-version')).toBeUndefined();
      await sorted.query(
        `UPDATE pg_database SET datcollversion = '1.0' WHERE datname = 'sorted';
          UPDATE pg_collation SET collversion = '1.0' WHERE collname IN ('german', 'fr-x-icu', 'es-x-icu')`,
      );
      await fixes(sorted, 'collation-version', {
        grade: 'refuse',
        objects: [
          expect.stringMatching(/^database sorted: built with 1\.0, library has [\d.]+$/),
          expect.stringMatching(
            /^collation pg_catalog\.fr-x-icu: built with 1\.0, library has [\d.]+; indexes: public\.j$/,
          ),
          expect.stringMatching(
            /^collation public\.german: built with 1\.0, library has [\d.]+; indexes: public\.I i$/,
          ),
        ],
      });
    });
  }, sound);
});

test('read-only defaults that a fence left behind, and settings of roles', async () => {
  await withDatabase(async (client) => {
    await client.query(`
      CREATE ROLE app LOGIN; CREATE ROLE other; ALTER ROLE app SET default_transaction_read_only = on;
      ALTER ROLE app IN DATABASE test SET default_transaction_read_only = on; ALTER DATABASE test SET default_transaction_read_only = on;
      ALTER ROLE other SET default_transaction_read_only = on; ALTER DATABASE test SET work_mem = '8MB'`);
    await runScript(client, 'ALTER SYSTEM SET default_transaction_read_only = on;\nSELECT pg_reload_conf();');
    const roles = { application: ['app'] };
    const finding = await findingOf(client, 'read-only-default', { roles });
    expect(finding).toMatchObject({
      grade: 'warn',
      objects: ['role app in database test', 'role app', 'database test', 'the server'],
    });
    await runScript(client, finding?.fix ?? '');
    expect(await findingOf(client, 'read-only-default', { roles })).toBeUndefined();
    expect((await findingOf(client, 'role-settings-present'))?.objects).toEqual([
      'all roles in database test: work_mem=8MB',
      'role other: default_transaction_read_only=on',
    ]);
  }, sound);
});

test('archiving, passwords and foreign servers', async () => {
  await withDatabase(
    async (client, server) => {
      expect(await findingOf(client, 'archiving')).toMatchObject({
        grade: 'info',
        objects: ['archive_command = /bin/true', 'archive_mode = on'],
      });
      await client.query(
        "SET password_encryption = 'md5'; CREATE ROLE app LOGIN PASSWORD 'x'; RESET password_encryption",
      );
      await fixes(client, 'password-md5', { grade: 'info', objects: ['app'] }, { roles: { application: ['app'] } });
      await client.query(`
      CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'elsewhere.example');
      CREATE SERVER self FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'localhost', port '${server.port}');
      CREATE SERVER sibling FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname 'postgres');
      CREATE FOREIGN TABLE f (x int) SERVER far; CREATE FUNCTION d() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM dblink_exec('x', 'y'); END $$`);
      await fixes(client, 'foreign-server-self', {
        grade: 'warn',
        objects: [`self {"host": "localhost", "port": "${server.port}"}`],
      });
      expect(await findingOf(client, 'foreign-tables')).toMatchObject({ objects: ['public.f of far'] });
      expect(await findingOf(client, 'dblink')).toMatchObject({ objects: ['public.d'] });
    },
    { ...sound, archive_mode: 'on', archive_command: '/bin/true' },
  );
});

test('extensions: told, missing, older, newer', async () => {
  await withDatabase(async (client) => {
    await client.query(
      "CREATE EXTENSION pg_stat_statements; CREATE EXTENSION cube; CREATE EXTENSION citext; CREATE EXTENSION hstore VERSION '1.4'; CREATE EXTENSION isn",
    );
    expect((await findingOf(client, 'extensions'))?.objects.map((name) => name.split(' ')[0])).toEqual([
      'citext',
      'cube',
      'hstore',
      'isn',
      'pg_stat_statements',
    ]);
    expect(
      await findingOf(client, 'extension-missing', {
        candidateExtensions: { plpgsql: ['1.0'], cube: ['1.4', '1.5'], citext: ['1.6'], hstore: ['1.4'], isn: ['1.2'] },
      }),
    ).toMatchObject({ grade: 'refuse', objects: [expect.stringMatching(/^pg_stat_statements 1\.\d+$/)] });
    const candidate = { side: 'candidate', gate: 'switch' } as const;
    await fixes(
      client,
      'extension-update',
      { grade: 'info', objects: [expect.stringMatching(/^hstore 1\.4, there is 1\.8$/)] },
      candidate,
    );
    await client.query(
      "UPDATE pg_extension SET extversion = '99' WHERE extname = 'cube'; UPDATE pg_extension SET extname = 'nowhere' WHERE extname = 'isn'",
    );
    expect(await findingOf(client, 'extension-older', candidate)).toMatchObject({
      grade: 'refuse',
      objects: ['cube 99'],
    });
    expect(await findingOf(client, 'extension-missing', candidate)).toMatchObject({
      grade: 'refuse',
      objects: [expect.stringMatching(/^nowhere /)],
    });
  }, sound);
});

test('tables of extensions are told', async () => {
  await withDatabase(async (client) => {
    await client.query(
      'CREATE EXTENSION cube; CREATE TABLE of_cube (id int PRIMARY KEY); ALTER EXTENSION cube ADD TABLE of_cube',
    );
    expect(await findingOf(client, 'extension-tables')).toMatchObject({ objects: ['public.of_cube of cube'] });
  }, sound);
});
