import { describe, expect, test } from 'vitest';
import { errorIds, findingIds } from './ids.ts';
import { document, parseSource, sources, type Source } from './sources.ts';

const all = sources('src');
// Findings of the linter are rules, with a page each under docs/lint.
const withFindings = (from: readonly Source[]): Source[] =>
  from.filter(({ file }) => !file.startsWith('src/migrations/lint/'));

const sections = (text: string, mark: string): string[] =>
  [...text.matchAll(new RegExp(`^${mark} ([a-z0-9-]+)$`, 'gm'))].map((match) => match[1] ?? '');
const errors = sections(document('docs/errors.md'), '###');
const findings = sections(document('docs/findings.md'), '##');

describe('docs/errors.md', () => {
  test('every id of an error has a section: failures print its address', () => {
    const { found, unknown } = errorIds(all);
    expect(found.size).toBeGreaterThan(60);
    // What the router or the provider answered is made an error again by the operator's side.
    expect(unknown).toEqual([
      'src/cli/up/observe.ts:failure',
      'src/router/control.ts:remote',
      'src/router/launch.ts:rebuilt',
    ]);
    expect([...found].filter(([id]) => !errors.includes(id))).toEqual([]);
  });

  test('every id of a finding has a section there or in docs/findings.md', () => {
    const { found, unknown } = findingIds(withFindings(all));
    expect(found.size).toBeGreaterThan(100);
    expect(unknown).toEqual([]);
    expect([...found].filter(([id]) => !errors.includes(id) && !findings.includes(id))).toEqual([]);
  });

  test('no section is doubled, and none is about something that is gone', () => {
    const known = new Set([...errorIds(all).found.keys(), ...findingIds(withFindings(all)).found.keys()]);
    expect(errors.filter((id, index) => errors.indexOf(id) !== index)).toEqual([]);
    expect(errors.filter((id) => !known.has(id))).toEqual([]);
  });

  test('each section says what to do', () => {
    for (const section of document('docs/errors.md').split(/^### /m).slice(1)) expect(section).toContain('**Do.**');
  });
});

test('the collector follows helpers, conditions, defaults and properties, and says where it cannot', () => {
  const { found, unknown } = errorIds([parseSource('test/docs/sample-errors.ts')]);
  expect([...found.keys()].sort()).toEqual([
    'by-default',
    'direct',
    'either',
    'from-arrow',
    'from-helper',
    'from-helper-of-helper',
    'from-property',
    'or-other',
  ]);
  expect(unknown).toEqual(['test/docs/sample-errors.ts:unseen']);
});
