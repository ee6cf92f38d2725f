import { parse, type Node } from 'libpg-query';
import { expect, test } from 'vitest';
import { outsideTransaction } from '../../src/migrations/outside-transaction.ts';
import { withClient } from '../../src/postgres/session.ts';
import { connectionTo, withServer } from '../support/postgres.ts';

const objects = `
  CREATE TABLE t (id int PRIMARY KEY, note text);
  CREATE INDEX "concurrently" ON t (note);
  CREATE TABLE parted (id int) PARTITION BY RANGE (id);
  CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (10);
  CREATE TYPE mood AS ENUM ('sad');
  CREATE MATERIALIZED VIEW seen AS SELECT 1 AS id; CREATE UNIQUE INDEX ON seen (id)`;

const statements = [
  'CREATE INDEX i ON t (note)',
  'CREATE INDEX CONCURRENTLY i ON t (note)',
  'DROP INDEX "concurrently"',
  'DROP INDEX CONCURRENTLY "concurrently"',
  'REINDEX INDEX "concurrently"',
  'REINDEX TABLE t',
  'REINDEX INDEX CONCURRENTLY "concurrently"',
  'REINDEX TABLE CONCURRENTLY t',
  'REINDEX (CONCURRENTLY) TABLE t',
  'REINDEX (CONCURRENTLY false) TABLE t',
  'REINDEX (CONCURRENTLY off) TABLE t',
  'REINDEX (CONCURRENTLY 0) TABLE t',
  'REINDEX (VERBOSE) TABLE t',
  'REINDEX SCHEMA public',
  'REINDEX DATABASE postgres',
  'REINDEX SYSTEM postgres',
  'CLUSTER',
  'CLUSTER VERBOSE',
  'CLUSTER t USING t_pkey',
  'VACUUM',
  'VACUUM FULL t',
  'VACUUM (ANALYZE) t',
  'ANALYZE t',
  'ALTER TABLE parted DETACH PARTITION part',
  'ALTER TABLE parted DETACH PARTITION part CONCURRENTLY',
  "ALTER TYPE mood ADD VALUE 'glad'",
  'REFRESH MATERIALIZED VIEW CONCURRENTLY seen',
  'CREATE DATABASE d',
  'DROP DATABASE IF EXISTS d',
  'ALTER DATABASE postgres SET TABLESPACE pg_default',
  'ALTER DATABASE postgres CONNECTION LIMIT 10',
  "ALTER SYSTEM SET work_mem = '8MB'",
  "CREATE TABLESPACE s LOCATION '/nowhere'",
  'DROP TABLESPACE IF EXISTS s',
  "CREATE SUBSCRIPTION s CONNECTION 'host=nowhere' PUBLICATION p",
];

test('a statement is run outside of a transaction exactly where PostgreSQL refuses it inside of one', async () => {
  await withServer(async (server) => {
    await withClient(connectionTo(server), 'test', async (client) => {
      await client.query(objects);
      for (const sql of statements) {
        const { stmts = [] } = await parse(sql);
        await client.query('BEGIN');
        const refused = await client.query(sql).then(
          () => false,
          (error: unknown) => (error as { code?: string }).code === '25001',
        );
        await client.query('ROLLBACK');
        expect({ sql, outside: outsideTransaction(stmts[0]?.stmt as Node) }).toEqual({ sql, outside: refused });
      }
    });
  });
});
