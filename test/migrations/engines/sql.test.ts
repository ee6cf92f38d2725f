import { expect, test } from 'vitest';
import { withClient } from '../../../src/postgres/session.ts';
import { objects, hasChinook } from './chinook.ts';
import { remove, scenario } from './scenario.ts';
import { plainSql, withBench } from './support.ts';

test.runIf(hasChinook)(
  'plain SQL on Chinook: first run, failure, interruption, going on, nothing twice; a changed checksum and a late version are refused',
  async () => {
    await withBench('sql', async (bench) => {
      const engine = plainSql(bench.folder);
      await scenario(bench, {
        engine,
        own: [],
        knownAtFirst: true,
        tool: false,
        next: { file: '0003_orders.sql', text: (sql) => sql },
        first: [
          { version: '0001', name: 'customers' },
          { version: '0002', name: 'customers_name' },
          { version: 'repeatable', name: 'good_customers.sql' },
          { version: 'repeatable', name: 'is_good.sql' },
        ],
        second: [{ version: '0003', name: 'orders' }],
      });
      const before = await objects(bench.client);
      await bench.write('0002.5_late.sql', 'CREATE TABLE late (id int PRIMARY KEY);');
      await expect(bench.apply(engine)).rejects.toMatchObject({
        code: 'declaration',
        id: 'migration-out-of-order',
        seen: expect.stringContaining('0002.5_late.sql'),
      });
      await remove(bench, '0002.5_late.sql');
      await bench.write('0003_orders.sql', 'CREATE TABLE other (id int PRIMARY KEY);');
      await expect(bench.apply(engine)).rejects.toMatchObject({
        code: 'declaration',
        id: 'migration-changed',
        seen: expect.stringContaining('0003_orders.sql'),
      });
      expect(await objects(bench.client)).toBe(before);
      expect(await bench.tables()).toEqual(['change_log', 'customers', 'orders']);
    });
  },
);

test('plain SQL outside a transaction: interrupted in a statement, it goes on behind those that are done', async () => {
  await withBench(undefined, async (bench) => {
    const engine = plainSql(bench.folder);
    const text = (last: string): string =>
      `CREATE TABLE t (id int);\nCREATE INDEX CONCURRENTLY t_id ON t (id);\n${last}`;
    await bench.write('0001_apart.sql', text('SELECT pg_sleep(100);'));
    expect(await bench.interrupt(engine)).toMatchObject({
      code: 'interrupted',
      id: 'migration-interrupted',
      next: expect.stringMatching(/can be resumed/),
    });
    expect(await bench.tables()).toEqual(['t']);
    await bench.write('0001_apart.sql', text('SELECT 2;'));
    await expect(bench.apply(engine)).rejects.toMatchObject({ id: 'migration-changed' });
    await bench.write('0001_apart.sql', text('SELECT pg_sleep(100);'));
    await expect(bench.apply(engine, { statementTimeout: 200 })).rejects.toMatchObject({
      id: 'migration-failed',
      seen: expect.stringMatching(/0001_apart\.sql:3: .*statement timeout/),
      next: expect.stringContaining('statements before it are applied'),
    });
  });
});

test('a file of several transactions: one that fails is taken back whole, those before it stay and are not run again, with what they set', async () => {
  await withBench(undefined, async (bench) => {
    const engine = plainSql(bench.folder);
    const seen = async (): Promise<unknown> =>
      (
        await bench.client.query(`SELECT (SELECT string_agg(x, ' ' ORDER BY n) FROM t) AS t,
          (SELECT statements_done FROM verdigris.migration) AS done, (SELECT applied_at IS NOT NULL FROM verdigris.migration) AS whole`)
      ).rows[0];
    const text = `CREATE TABLE t (n int GENERATED ALWAYS AS IDENTITY, x text);
      BEGIN;
      SET app.tenant = 'one'; SET LOCAL app.unit = 'first';
      INSERT INTO t (x) VALUES (current_setting('app.unit'));
      COMMIT;
      BEGIN;
      INSERT INTO t (x) VALUES (current_setting('app.tenant') || coalesce(nullif(current_setting('app.unit', true), ''), '!'));
      SELECT pg_sleep(100);
      COMMIT;
      VACUUM t;`;
    await bench.write('0001_parts.sql', text);
    expect(await bench.interrupt(engine)).toMatchObject({ id: 'migration-interrupted' });
    expect(await seen()).toEqual({ t: 'first', done: 4, whole: false });
    await expect(bench.apply(engine, { statementTimeout: 300 })).rejects.toMatchObject({
      seen: expect.stringMatching(/0001_parts\.sql:8: .*statement timeout/),
      next: expect.stringContaining('will not run again'),
    });
    expect(await seen()).toEqual({ t: 'first', done: 4, whole: false });
    // What is slow the first time may be done the next.
    await bench.client.query(`CREATE FUNCTION public.pg_sleep(int) RETURNS void LANGUAGE sql AS 'SELECT';
      ALTER DATABASE ${(await bench.client.query('SELECT current_database() AS name')).rows[0].name} SET search_path = public, pg_catalog`);
    await withClient(bench.connection, 'test', (client) => bench.apply(engine, { client }));
    expect(await seen()).toEqual({ t: 'first one!', done: 7, whole: true });
  });
});

test('what a file sets ends with it: in a trial as in a run, for the files behind it', async () => {
  await withBench(undefined, async (bench) => {
    const engine = plainSql(bench.folder);
    await bench.client.query("CREATE TABLE kept (id int PRIMARY KEY, code text); SET TimeZone = 'Asia/Tokyo'");
    await bench.write(
      '0001_dump.sql',
      "SELECT pg_catalog.set_config('search_path', '', false); SET TimeZone = 'UTC'; SET app.tenant = 'one'; CREATE TABLE public.made (id int);",
    );
    await bench.write(
      '0002_parts.sql',
      'BEGIN; CREATE SCHEMA other; SET LOCAL search_path = other; CREATE TABLE there (id int); COMMIT; ALTER TABLE kept DROP COLUMN code;',
    );
    await bench.write(
      '0003_next.sql',
      "CREATE TABLE told AS SELECT current_setting('TimeZone') AS zone, coalesce(current_setting('app.tenant', true), '') AS tenant;",
    );
    const tables = ['kept', 'made', 'told'];
    expect(await bench.rehearse(engine)).toEqual(tables);
    await bench.apply(engine);
    expect(await bench.tables()).toEqual(tables);
    expect((await bench.client.query('SELECT * FROM told')).rows).toEqual([{ zone: 'Asia/Tokyo', tenant: '' }]);
  });
});

test('a file that 0.1.0 ran by the first number of its name does not run again by all of them', async () => {
  await withBench(undefined, async (bench) => {
    const engine = plainSql(bench.folder);
    await bench.write('0007_2024_report.sql', 'CREATE TABLE report (id int);');
    expect(await bench.apply(engine)).toEqual([{ version: '0007_2024', name: 'report' }]);
    await bench.client.query("UPDATE verdigris.migration SET version = '0007', name = '2024_report'");
    expect(await bench.apply(engine)).toEqual([]);
  });
});

test('a file outside a transaction is tried beforehand in one: with an enum value that it uses, and an index that it makes CONCURRENTLY', async () => {
  await withBench(undefined, async (bench) => {
    const engine = plainSql(bench.folder);
    await bench.client.query("CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE notes (id int PRIMARY KEY, code text)");
    await bench.write(
      '0001_calm.sql',
      `-- verdigris: no-transaction
      ALTER TYPE mood ADD VALUE 'calm';
      CREATE TABLE feels (id int PRIMARY KEY, m mood DEFAULT 'calm');
      INSERT INTO feels VALUES (1, 'calm');
      ALTER TABLE notes DROP COLUMN code;`,
    );
    await bench.write(
      '0002_key.sql',
      `CREATE TABLE pairs (a int NOT NULL);
      CREATE UNIQUE INDEX /* not CONCURRENTLY by mistake */ CONCURRENTLY pairs_a ON pairs (a);
      ALTER TABLE pairs ADD CONSTRAINT pairs_key PRIMARY KEY USING INDEX pairs_a;
      DROP INDEX CONCURRENTLY IF EXISTS none;`,
    );
    expect(await bench.rehearse(engine)).toEqual(['notes', 'pairs']);
    await bench.apply(engine);
    expect((await bench.client.query('SELECT m FROM feels')).rows).toEqual([{ m: 'calm' }]);
  });
});

test('a value that is added and used in one transaction is refused as soon as the file is read', async () => {
  await withBench(undefined, async (bench) => {
    const engine = plainSql(bench.folder);
    await bench.client.query("CREATE TYPE mood AS ENUM ('sad')");
    await bench.write('0001_calm.sql', "ALTER TYPE mood ADD VALUE 'calm'; CREATE TABLE feels (m mood DEFAULT 'calm');");
    await expect(bench.apply(engine)).rejects.toMatchObject({
      id: 'migration-forbidden',
      seen: expect.stringMatching(/0001_calm\.sql:1: this statement uses 'calm'/),
    });
  });
});
