import { expect, test } from 'vitest';
import { lintFiles } from '../../../src/migrations/lint/lint.ts';
import { atLeast, type LintFinding, type LintReport } from '../../../src/migrations/lint/finding.ts';
import { schema } from './corpus/schema.ts';
import { safe, safeOutside } from './corpus/safe.ts';
import { unsafe } from './corpus/unsafe.ts';

function lint(sql: string): Promise<LintReport> {
  return lintFiles([
    { path: 'schema.sql', text: schema, applied: true },
    { path: 'new.sql', text: sql },
  ]);
}

function claim({ rule, lock, rewrites }: LintFinding): string {
  return `${rule}${lock ? `: ${lock.mode}${lock.table === undefined ? '' : ` ${lock.table}`}` : ''}${rewrites ? ', rewrites' : ''}`;
}

test('the corpus is as large as promised', () => {
  expect(unsafe.length).toBeGreaterThanOrEqual(120);
  expect(safe.length + safeOutside.length).toBeGreaterThanOrEqual(60);
});

test.each(unsafe)('%s', async (sql, ...finds) => {
  expect((await lint(sql)).findings.map(claim)).toEqual(finds);
});

test.each([...safe, ...safeOutside])('no false alarm: %s', async (sql) => {
  expect((await lint(sql)).findings.filter(({ severity }) => atLeast(severity, 'warning')).map(claim)).toEqual([]);
});

test('on a candidate, findings that matter on a live database only count for nothing', async () => {
  for (const [sql] of unsafe) {
    const { findings } = await lintFiles(
      [
        { path: 'schema.sql', text: schema, applied: true },
        { path: 'new.sql', text: sql },
      ],
      { target: 'candidate' },
    );
    expect(findings.filter((finding) => finding.where === 'live' && finding.severity !== 'info')).toEqual([]);
  }
});
