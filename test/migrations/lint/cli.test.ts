import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { execa } from 'execa';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'vg-lint-'));
  await mkdir(path.join(folder, 'm/deep'), { recursive: true });
  const files: Record<string, string> = {
    'm/V2__table.sql': 'CREATE TABLE a (id bigint PRIMARY KEY, x varchar(10));',
    'm/V10__index.sql': 'CREATE INDEX ON a (x);',
    'm/deep/V11__note.sql': 'CREATE TABLE b (id serial PRIMARY KEY);',
    'm/V10__index.down.sql': 'DROP TABLE a;',
    'm/readme.txt': 'DROP TABLE a;',
    'run.mjs': `import { lintCommand } from '${path.join(import.meta.dirname, '../../../src/cli/lint.ts')}';\nawait lintCommand().parseAsync();\n`,
    'lint.yaml': 'verdigris-lint:\n  rules:\n    create-index-blocking: off\n',
    'ignore.yaml': 'verdigris-lint:\n  ignore: [m/**]\n',
    'bad.yaml': 'verdigris-lint:\n  rulez: {}\n',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function run(args: readonly string[], input = '') {
  return execa(process.execPath, ['run.mjs', ...args], {
    cwd: folder,
    input,
    reject: false,
    env: { PATH: '' },
    extendEnv: false,
  });
}

test('lints a folder in order, and exits with 4 on a warning', async () => {
  const { stdout, exitCode, stderr } = await run(['m', '--format', 'json']);
  const report = JSON.parse(stdout) as { findings: { path: string; rule: string }[] };
  expect(report.findings.map(({ path: file, rule }) => `${file} ${rule}`)).toEqual([
    'm/V10__index.sql create-index-blocking',
    'm/deep/V11__note.sql prefer-bigint-key',
    'm/deep/V11__note.sql prefer-identity',
  ]);
  expect([exitCode, stderr]).toEqual([4, '']);
});

test.each([
  [['m', '--fail-on', 'error'], 0],
  [['m', '--fail-on', 'never'], 0],
  [['m', '--target', 'candidate'], 0],
  [['m', '--target', 'candidate', '--fail-on', 'info'], 4],
  [['m', '--config', 'lint.yaml'], 0],
  [['m', '--since', 'm/V10__index.sql'], 4],
  [['m', '--since', 'm/V2__table.sql'], 0],
  [['m', '--config', 'bad.yaml'], 2],
  [['m', '--config', 'absent.yaml'], 2],
  [['m', '--since', 'm/absent.sql'], 2],
  [['absent'], 2],
  [[], 2],
  [['--explain', 'no-such-rule'], 2],
  [['--explain', 'drop-table'], 0],
  [['--list-rules'], 0],
])('verdigris lint %j exits with %i', async (args, code) => {
  expect((await run(args)).exitCode).toBe(code);
});

test('standard input has the name that it is given', async () => {
  const { stdout, exitCode } = await run(['--stdin', 'x.sql', '--format', 'github'], 'DROP TABLE a;');
  expect([stdout.split(',')[0], exitCode]).toEqual(['::error file=x.sql', 4]);
});

test('a database that does not answer is said, without its password', async () => {
  const { stderr, exitCode } = await run(['m', '--database', 'postgresql://u:hidden@127.0.0.1:1/x']);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('sizes');
  expect(stderr).not.toContain('hidden');
});

test('ignored files are ignored however their path is typed', async () => {
  const typed = ['./m', path.join(folder, 'm')];
  const ended = await Promise.all(typed.map((one) => run([one, '--config', 'ignore.yaml'])));
  expect(ended.map((one) => one.exitCode)).toEqual([0, 0]);
});
