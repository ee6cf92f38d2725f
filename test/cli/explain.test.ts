import { tmpdir } from 'node:os';
import { stripVTControlCharacters } from 'node:util';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { allPages, type ManualPage } from '../../src/cli/pages.ts';
import { explain } from '../../src/cli/event-text.ts';
import { ruleIds } from '../../src/migrations/lint/rules/index.ts';
import { errorCatalogue } from '../../src/model/error-catalogue.ts';
import { VerdigrisError } from '../../src/model/errors.ts';
import { findingCatalogue } from '../../src/model/finding-catalogue.ts';
import { main } from '../support/cli.ts';

const run = (...args: string[]) =>
  execa(process.execPath, [main, 'explain', ...args], {
    cwd: tmpdir(),
    reject: false,
    env: { NO_COLOR: '1', FORCE_COLOR: '0' },
  });

test('every error, every finding and every lint rule has its page, and no page is empty', () => {
  const all = allPages();
  const of = (kind: ManualPage['kind']) => new Set(all.filter((page) => page.kind === kind).map(({ id }) => id));
  const [errors, findings, rules] = [of('error'), of('finding'), of('rule')];
  expect(Object.keys(errorCatalogue).filter((id) => !errors.has(id))).toEqual([]);
  expect(Object.keys(findingCatalogue).filter((id) => !findings.has(id) && !errors.has(id))).toEqual([]);
  expect(ruleIds.filter((id) => !rules.has(id))).toEqual([]);
  expect(all.filter(({ text }) => text.length < 20 || /^#{2,3} [a-z0-9-]+$/m.test(text))).toEqual([]);
});

test.each([
  ['pause-timeout', 'docs/errors.md#pause-timeout'],
  ['replica-identity-missing', 'docs/findings.md#replica-identity-missing'],
  ['lag', 'docs/errors.md#lag'],
  ['drop-table', 'docs/lint/drop-table.md'],
])(
  'explain %s prints its page without Markdown, needs no declaration, and says that it is of %s',
  async (id, source) => {
    const { stdout, exitCode } = await run(id);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(new RegExp(`^${id} \\((error|finding|rule)\\)\n\n`));
    expect(stdout.split('\n').at(-1)).toBe(source);
    expect(stdout).not.toMatch(/\*\*|\]\(|^#/m);
  },
);

test('an id that is an error and a finding has both pages, also as JSON', async () => {
  const { stdout } = await run('tablespaces', '--json');
  expect(JSON.parse(stdout)).toMatchObject({
    type: 'result',
    result: {
      id: 'tablespaces',
      pages: [
        { kind: 'error', source: 'docs/errors.md#tablespaces' },
        { kind: 'finding', source: 'docs/findings.md#tablespaces' },
      ],
    },
  });
});

test('an unknown id names the nearest, or none where none is near', async () => {
  const { stderr, exitCode } = await run('pause-timout');
  expect(exitCode).toBe(2);
  expect(stderr).toContain('did you mean pause-timeout?');
  expect((await run('zzzzzzzzzzzz')).stderr).not.toContain('did you mean');
});

test('every failure at the terminal ends with a command that prints its page', () => {
  const error = new VerdigrisError('pause-timeout', { seen: 'a', required: 'b', next: 'c' });
  for (const [failure, id] of [
    [error, 'pause-timeout'],
    [new Error('x'), 'unexpected'],
  ] as const)
    expect(stripVTControlCharacters(explain(failure)).split('\n').at(-1)).toBe(`  verdigris explain ${id}`);
});
