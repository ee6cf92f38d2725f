import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { planData } from '../../../src/migrations/data/plan.ts';
import { readSqlFiles } from '../../../src/migrations/engines/sql/files.ts';
import type { Table } from '../../../src/postgres/catalogue.ts';
import { temporaryFolder } from '../../support/postgres.ts';
import { fill } from '../engines/folder.ts';

const live: readonly Table[] = [
  {
    oid: 1,
    schema: 'public',
    name: 'orders',
    partitioned: false,
    persistence: 'permanent',
    columns: [
      {
        ...{ name: 'id', type: 'integer', baseType: 'pg_catalog.int4', notNull: true, hasDefault: false },
      } as unknown as Table['columns'][number],
    ],
    ...{ primaryKey: ['id'], identity: [], replicaIdentity: 'default', bytes: 0, estimatedRows: 0 },
  },
];

/** What the last statement of a file needs of its session, or its place where it has one. */
async function judged(text: string): Promise<unknown> {
  const folder = await temporaryFolder();
  try {
    await fill(folder, { '1_a.sql': `CREATE TABLE archive (id int PRIMARY KEY);\n${text};` });
    const files = await readSqlFiles(folder);
    return planData(files, live).at(-1)?.place;
  } catch (error) {
    const { id, facts } = error as { id?: string; facts?: { needed?: string } };
    if (id === undefined) throw error;
    return facts?.needed ?? id;
  } finally {
    await rm(folder, { recursive: true });
  }
}

const made = 'CREATE TEMP TABLE t AS SELECT * FROM orders';
const empty = 'CREATE TEMP TABLE t (id int)';
const read = 'INSERT INTO archive SELECT * FROM t';
const t = 'the temporary table t';

test.each([
  [`${made}; ${read}`, t],
  [`SELECT * INTO TEMP t FROM orders; ${read}`, t],
  [`${empty}; INSERT INTO t SELECT id FROM orders; ${read}`, t],
  [`${empty}; UPDATE t SET id = o.id FROM orders o; ${read}`, t],
  [
    `${empty}; MERGE INTO pg_temp.t USING orders o ON o.id = t.id WHEN NOT MATCHED THEN INSERT VALUES (o.id); ${read}`,
    t,
  ],
  [`${empty}; DELETE FROM t USING orders; ${read}`, t],
  [`${empty}; EXPLAIN (ANALYZE) INSERT INTO t SELECT id FROM orders; ${read}`, t],
  [`${made}; INSERT INTO archive SELECT * FROM pg_temp.t`, t],
  [`${made}; WITH t AS (SELECT * FROM t) INSERT INTO archive SELECT * FROM t`, t],
  [`${made}; WITH t AS (VALUES (1)) INSERT INTO archive SELECT * FROM t`, 'candidate'],
  [`${made}; WITH a AS (SELECT * FROM t), t AS (VALUES (1)) INSERT INTO archive SELECT * FROM a`, t],
  [`${made}; CREATE TEMP TABLE u AS SELECT * FROM t; INSERT INTO archive SELECT * FROM u`, 'the temporary table u'],
  [`${made}; ALTER TABLE t RENAME TO u; INSERT INTO archive SELECT * FROM u`, 'the temporary table u'],
  [`${made}; CREATE TABLE more AS SELECT * FROM t`, t],
  [`${made}; CREATE TEMP TABLE IF NOT EXISTS t (id int); ${read}`, t],
  [`${made}; DO $$ BEGIN INSERT INTO archive SELECT * FROM t; END $$`, t],
  [`DO $$ BEGIN CREATE TEMP TABLE t AS SELECT * FROM orders; END $$; ${read}`, t],
  [`DO $$ BEGIN CREATE TEMP TABLE t (id int); INSERT INTO t SELECT id FROM orders; END $$; ${read}`, t],
  [`CREATE TEMP VIEW t AS SELECT * FROM orders; ${read}`, t],
  [`CREATE TEMP VIEW orders AS SELECT * FROM orders; CREATE TEMP TABLE t AS SELECT * FROM orders; ${read}`, t],
  [
    `${empty}; CREATE VIEW v AS SELECT * FROM t; INSERT INTO t SELECT id FROM orders; INSERT INTO archive TABLE v`,
    'the temporary table v',
  ],
  [`${empty}; CREATE VIEW v AS SELECT * FROM t; INSERT INTO v SELECT id FROM orders; ${read}`, t],
  [`CREATE TEMP VIEW t AS SELECT * FROM orders; INSERT INTO t VALUES (1)`, t],
  [`PREPARE p AS SELECT id FROM orders; CREATE TEMP TABLE t AS EXECUTE p; ${read}`, t],
  [`PREPARE p AS SELECT id FROM orders; CREATE TABLE more AS EXECUTE p`, 'the prepared statement p'],
  [`${made}; PREPARE p AS ${read}; EXPLAIN (ANALYZE) EXECUTE p`, 'the prepared statement p'],
  [`${empty}; PREPARE p AS INSERT INTO t SELECT id FROM orders; EXECUTE p; ${read}`, t],
  [
    `DECLARE c CURSOR WITH HOLD FOR SELECT id FROM orders;
      DO $$ DECLARE c refcursor := 'c'; n int; BEGIN FETCH c INTO n; INSERT INTO archive VALUES (n); END $$`,
    'the cursor c',
  ],
  [`CREATE TEMP TABLE orders ON COMMIT DROP AS SELECT 1 AS id; COMMIT; BEGIN; UPDATE orders SET id = 1`, 'switch'],
  [`${made}; DROP TABLE t; CREATE TABLE t (id int); ${read}`, 'candidate'],
  [`CREATE TEMP TABLE orders AS SELECT 1 AS id; DROP TABLE orders; UPDATE orders SET id = 1`, 'switch'],
  [`CREATE TEMP TABLE t AS VALUES (1); ${read}`, 'candidate'],
  [
    `${made}; ${empty.replace(' t ', ' u ')}; INSERT INTO u VALUES (1); INSERT INTO archive SELECT * FROM u`,
    'candidate',
  ],
  [`CREATE TEMP TABLE t AS SELECT * FROM orders WITH NO DATA; INSERT INTO t VALUES (1); ${read}`, 'candidate'],
  [`CREATE TEMP TABLE t (LIKE orders); INSERT INTO t VALUES (1); ${read}`, 'candidate'],
  [`DO $$ BEGIN CREATE TEMP TABLE t AS SELECT * FROM orders; INSERT INTO archive SELECT * FROM t; END $$`, 'switch'],
  [
    `INSERT INTO archive SELECT id FROM orders; CREATE TEMP TABLE t AS SELECT * FROM archive; CREATE TABLE more AS SELECT * FROM t`,
    t,
  ],
])('what reads an object of the session rests on all that it was made of: %s', async (text, expected) => {
  const whole = text.includes('COMMIT;') ? `BEGIN; ${text}; COMMIT` : text;
  expect(await judged(whole)).toBe(expected);
});

const most = "SELECT set_config('app.most', (SELECT max(id) FROM orders)::text, false)";
const use = "INSERT INTO archive SELECT current_setting('app.most')::int";
const setting = 'the setting app.most, which the file makes when it runs';

test.each([
  [`${most}; ${use}`, setting],
  [`${most}; UPDATE orders SET id = id + current_setting('app.most')::int`, setting],
  [`${most}; DO $$ BEGIN INSERT INTO archive SELECT current_setting('app.most')::int; END $$`, setting],
  [`DO $$ BEGIN PERFORM set_config('app.most', (SELECT max(id) FROM orders)::text, false); END $$; ${use}`, setting],
  [
    `WITH m AS (SELECT max(id) AS id FROM orders) SELECT set_config('app.most', id::text, false) FROM m; ${use}`,
    setting,
  ],
  [
    "SELECT set_config('app.most', random()::text, false); UPDATE orders SET id = current_setting('app.most')::int",
    setting,
  ],
  // What rests on nothing of the live colour has its place, and constants are taken along.
  [`SELECT set_config('app.most', random()::text, false); ${use}`, 'candidate'],
  [`${most}; SET app.most = '5'; UPDATE orders SET id = current_setting('app.most')::int`, 'switch'],
  [`BEGIN; SELECT set_config('app.most', (SELECT max(id) FROM orders)::text, true); COMMIT; ${use}`, 'candidate'],
])('a setting that the file makes is needed by what reads it: %s', async (text, expected) => {
  expect(await judged(text)).toBe(expected);
});
