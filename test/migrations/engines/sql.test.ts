import { expect, test } from 'vitest';
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
