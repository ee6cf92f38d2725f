import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { lintCommand } from '../../../src/cli/lint.ts';

const root = path.join(import.meta.dirname, '../../..');

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'vg-lint-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
  return folder;
}

function lint(cwd: string, ...args: readonly string[]) {
  return execa(process.execPath, [path.join(root, 'src/cli/verdigris.js'), 'lint', ...args], { cwd, reject: false });
}

/** `file rule` of each finding. */
async function found(cwd: string, ...args: readonly string[]): Promise<string[]> {
  const { stdout, stderr } = await lint(cwd, ...args, '--format', 'json');
  expect(stderr).toBe('');
  const { findings } = JSON.parse(stdout) as { findings: { path: string; rule: string }[] };
  return findings.map((one) => `${one.path} ${one.rule}`);
}

const table = 'CREATE TABLE a (id bigint PRIMARY KEY, x text);';
const index = 'CREATE INDEX a_x ON a (x);';

test('since a revision of git, what was added, changed or is not committed yet is the release; nothing new is no fault', async () => {
  const folder = await folderOf({ 'm/1.sql': table, 'm/2.sql': index, 'm/3.sql': index });
  const git = (...args: readonly string[]) =>
    execa('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd: folder });
  await git('init', '-q', '-b', 'main');
  await git('add', '.');
  await git('commit', '-qm', 'applied');
  expect(await found(folder, 'm', '--since', 'main')).toEqual([]);
  await git('checkout', '-qb', 'feature');
  await writeFile(path.join(folder, 'm/4.sql'), 'DROP TABLE a;');
  await git('add', '.');
  await git('commit', '-qm', 'new');
  await writeFile(path.join(folder, 'm/3.sql'), `-- changed\n${index}`);
  await writeFile(path.join(folder, 'm/ü 5.sql'), 'ALTER TABLE a RENAME TO b;');
  expect(await found(folder, 'm', '--since', 'main')).toEqual([
    'm/3.sql create-index-blocking',
    'm/4.sql drop-table',
    'm/ü 5.sql rename-table',
  ]);
  const unknown = await lint(folder, 'm', '--since', 'no-such-branch');
  expect([unknown.exitCode, unknown.stderr]).toEqual([2, expect.stringContaining('no revision of a git repository')]);
});

test('a baseline accepts what is there, wherever its line moves, and nothing that comes after', async () => {
  const folder = await folderOf({ 'm/1.sql': table, 'm/2.sql': index });
  expect((await lint(folder, 'm')).exitCode).toBe(4);
  expect((await lint(folder, 'm', '--accept')).exitCode).toBe(0);
  expect(await found(folder, 'm')).toEqual([]);
  await writeFile(path.join(folder, 'm/2.sql'), `\n\n${index}\nCREATE INDEX a_y ON a (y);`);
  expect(await found(path.join(folder, 'm'), '.')).toEqual(['2.sql create-index-blocking']);
  expect((await lint(folder, 'm')).stdout).toContain('1 accepted by the baseline');
  await writeFile(path.join(folder, 'verdigris-lint-baseline.json'), '{"version":2}');
  expect((await lint(folder, 'm')).exitCode).toBe(2);
});

test('the configuration is found from the files upwards; its mistakes are errors with the nearest key', async () => {
  const off = 'verdigris-lint:\n  rules: { create-index-blocking: off }\n';
  const folder = await folderOf({ 'a/verdigris-lint.yaml': off, 'a/m/deep/1.sql': index, 'b/1.sql': index });
  expect(await found(folder, 'a/m')).toEqual([]);
  expect((await lint(folder, 'a/m', 'b')).stderr).toContain('different configurations');
  for (const [text, said] of [
    ['verdigris-lint:\n  rulez: {}\n', 'has no key rulez, did you mean rules?'],
    ['verdigris-lint:\n  rules: { drop-tabel: off }\n', 'no rule is called drop-tabel, did you mean drop-table?'],
    ['verdigris-lnit:\n  rules: {}\n', 'has no section verdigris-lint, but verdigris-lnit'],
  ] as const) {
    await writeFile(path.join(folder, 'a/verdigris-lint.yaml'), text);
    const { exitCode, stderr } = await lint(folder, 'a/m');
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(said)]);
  }
});

test("an environment's folder is judged for the candidate, failing on errors, and says how to be stricter", async () => {
  const folder = await folderOf({
    'verdigris.yaml': 'colours:\n  green: { release: "2", postgres: 16, migrations: ./db }\n',
    'db/1.sql': `${table}\nSELECT any_value(id) FROM a;`,
    'db/2.sql': index,
    'elsewhere/1.sql': `${table}`,
    'elsewhere/2.sql': index,
  });
  const { stdout, exitCode } = await lint(folder, 'db');
  expect([exitCode, stdout]).toEqual([0, expect.stringContaining('Stricter: `--fail-on warning`')]);
  expect((await lint(folder, 'db', '--target', 'live', '--fail-on', 'warning')).exitCode).toBe(4);
  const other = await lint(folder, 'elsewhere');
  expect([other.exitCode, other.stdout]).toEqual([4, expect.not.stringContaining('Stricter')]);
});

test('without a path the folder that is declared for the next release is linted, from below it too; none is an error with its next step', async () => {
  const folder = await folderOf({
    'verdigris.yaml': 'live: blue\ncolours:\n  blue: { migrations: old }\n  green: { migrations: db }\n',
    'db/1.sql': table,
    'db/2.sql': 'DROP TABLE a;',
    'old/1.sql': `${table} DROP TABLE b;`,
    'src/app.ts': '',
  });
  expect(await found(folder)).toEqual(['db/2.sql drop-table']);
  expect(await found(path.join(folder, 'src'))).toEqual(['../db/2.sql drop-table']);
  const none = await lint(await folderOf({}));
  expect([none.exitCode, none.stderr]).toEqual([
    2,
    expect.stringMatching(/No path .*\n.*--stdin.*\nNext: verdigris lint </),
  ]);
});

test("GitLab's code quality report has a fingerprint for each finding", async () => {
  const folder = await folderOf({ 'm/1.sql': `${table}`, 'm/2.sql': 'DROP TABLE a;\nDROP TABLE a;' });
  const { stdout } = await lint(folder, 'm', '--format', 'gitlab');
  const entries = JSON.parse(stdout) as Record<string, unknown>[];
  expect(entries.map(({ check_name, severity, location }) => ({ check_name, severity, location }))).toEqual([
    { check_name: 'drop-table', severity: 'critical', location: { path: 'm/2.sql', lines: { begin: 1, end: 1 } } },
    { check_name: 'drop-table', severity: 'critical', location: { path: 'm/2.sql', lines: { begin: 2, end: 2 } } },
  ]);
  expect(new Set(entries.map(({ fingerprint }) => fingerprint)).size).toBe(2);
});

test('the pre-commit hook and the GitHub action call the linter with options that it has', async () => {
  const hooks = parse(await readFile(path.join(root, '.pre-commit-hooks.yaml'), 'utf8')) as Record<string, string[]>[];
  const action = await readFile(path.join(root, 'action.yml'), 'utf8');
  // pre-commit runs it in its clone of this repository.
  expect(hooks.map(({ entry, language }) => [entry, language])).toEqual([['scripts/pre-commit.sh', 'script']]);
  const hook = [path.join(root, 'scripts/pre-commit.sh'), '--explain', 'drop-table'] as const;
  expect((await execa(hook[0], hook.slice(1))).stdout).toContain('drop-table');
  expect(() => parse(action)).not.toThrow();
  const known = lintCommand().options.map(({ long }) => long);
  const line = action.split('\n').find((one) => one.includes('verdigris.js')) ?? '';
  const used = [...(hooks[0]?.['args'] ?? []), ...line.split(/\s+/)].filter((word) => word.startsWith('--'));
  expect(used).toEqual(['--since', '--since', '--format']);
  expect(known).toEqual(expect.arrayContaining(used));
});
