import { expect, test } from 'vitest';
import { gradeByDatabase, longLock, throughput } from '../../../src/migrations/lint/grade.ts';
import { lintFiles } from '../../../src/migrations/lint/lint.ts';
import type { LintReport } from '../../../src/migrations/lint/finding.ts';
import { withDatabase } from '../../support/postgres.ts';

const sql = `
ALTER TABLE middling ALTER COLUMN a TYPE bigint;
CREATE INDEX ON tiny (id);
CREATE INDEX ON parted (id);
ALTER TABLE "Odd.Name" ADD CHECK (id > 0);
ALTER TABLE absent ADD CHECK (id > 0);
DROP TABLE tiny;`;
const known = { path: '0.sql', applied: true, text: 'CREATE TABLE middling (id bigint PRIMARY KEY, a integer);' };

function told(report: LintReport): unknown[] {
  return report.findings.map(({ rule, table, severity, graded }) => [rule, table, severity, graded]);
}

test('grades by the sizes of real tables, partitions included, and says how long', async () => {
  const settings = {
    rules: {
      'many-exclusive-locks': 'off',
      'stricter-constraint': 'off',
      'column-type-no-way-back': 'off',
      'new-unique': 'off',
    },
  } as const;
  const linted = await lintFiles([known, { path: '1.sql', text: sql }], settings);
  const report = await withDatabase(async (client) => {
    await client.query(`
      CREATE TABLE tiny (id bigint PRIMARY KEY);
      CREATE TABLE "Odd.Name" (id bigint);
      CREATE TABLE middling (id bigint PRIMARY KEY, a integer);
      INSERT INTO middling SELECT i, i FROM generate_series(1, 100000) i;
      CREATE TABLE parted (id bigint) PARTITION BY RANGE (id);
      CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100000);
      CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (100000) TO (200000);
      INSERT INTO parted SELECT generate_series(50000, 149999);
      ANALYZE middling, parted`);
    return gradeByDatabase(linted, client);
  });
  expect(told(report)).toEqual([
    ['change-column-type', 'public.middling', 'warning', undefined],
    ['create-index-blocking', 'public.tiny', 'info', 'lowered: the table is tiny'],
    ['create-index-blocking', 'public.parted', 'warning', undefined],
    ['add-check-scan', 'public.Odd.Name', 'info', 'lowered: the table is tiny'],
    ['add-check-scan', 'public.absent', 'warning', undefined],
    ['drop-table', 'public.tiny', 'error', undefined],
  ]);
  const [middling, , parted] = report.findings;
  expect(middling?.size?.rows).toBe(100_000);
  expect(parted?.size?.rows).toBe(100_000);
  expect(middling?.size?.seconds).toBeCloseTo(
    (middling?.size?.tableBytes ?? 0) / throughput.rewrite + (middling?.size?.indexBytes ?? 0) / throughput.index,
    6,
  );
  expect(report.findings[4]?.size).toBeUndefined();
});

test('a lock that lasts makes an error of a warning', async () => {
  const linted = await lintFiles([{ path: '1.sql', text: 'CREATE INDEX ON t (a); DROP INDEX CONCURRENTLY x;' }]);
  // A table of this size cannot be made in a test: the catalogue's answer stands in for it.
  const rows = [{ label: 'public.t', tableBytes: longLock * throughput.index, indexBytes: 0, rows: 1e9 }];
  const client = { query: () => Promise.resolve({ rows }) } as unknown as Parameters<typeof gradeByDatabase>[1];
  expect(told(await gradeByDatabase(linted, client))).toContainEqual([
    'create-index-blocking',
    'public.t',
    'error',
    'raised: the table is large',
  ]);
});
