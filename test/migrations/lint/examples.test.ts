import { describe, expect, test } from 'vitest';
import { lintFiles } from '../../../src/migrations/lint/lint.ts';
import type { LintSettings } from '../../../src/migrations/lint/config.ts';
import { lintRules } from '../../../src/migrations/lint/rules/index.ts';
import { schema } from './corpus/schema.ts';

async function found(sql: string, id: string): Promise<boolean> {
  const settings: LintSettings = {
    rules: { [id]: 'on' },
    ...(sql.includes('timeouts: file') || id.startsWith('missing-') ? { timeouts: 'file' } : {}),
  };
  const text = id === 'encoding' && sql.startsWith('--') ? Buffer.from("SELECT 'caf\u00e9';", 'latin1') : sql;
  const report = await lintFiles(
    [
      { path: 'schema.sql', text: schema, applied: true },
      { path: 'new.sql', text },
    ],
    settings,
  );
  return report.findings.some((finding) => finding.rule === id);
}

describe.each(lintRules)('$id', (rule) => {
  test('finds its bad example and not its good one', async () => {
    expect([await found(rule.bad, rule.id), await found(rule.good, rule.id)]).toEqual([true, false]);
  });

  test('says what a reader needs', () => {
    expect(rule.id).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
    for (const text of [rule.why, rule.instead]) expect(text.length).toBeGreaterThan(4);
    expect(rule.why).toMatch(/[.]$/);
  });
});

test('ids are unique', () => {
  expect(new Set(lintRules.map((rule) => rule.id)).size).toBe(lintRules.length);
});
