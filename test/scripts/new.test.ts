import { cp, mkdir, readFile, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../support/postgres.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** The checkout's own files, as they are now, with its dependencies. */
async function withCheckout(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await temporaryFolder();
  try {
    const { stdout } = await execa('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      cwd: root,
    });
    for (const file of stdout.split('\0').filter(Boolean)) {
      await mkdir(path.join(folder, path.dirname(file)), { recursive: true });
      await cp(path.join(root, file), path.join(folder, file)).catch(() => undefined);
    }
    await symlink(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('new rules, checks and verbs compile, are listed and documented, and pass the tests of their kinds', async () => {
  await withCheckout(async (cwd) => {
    const program = { cwd, preferLocal: true, localDir: root } as const;
    const run = (command: string, ...args: string[]) => execa(command, args, program);
    const unwritten = 'test/docs/todo.test.ts';
    const tests = ['test/migrations/lint/docs.test.ts', 'test/model', 'test/docs', '--exclude', unwritten];
    for (const [kind, name] of [
      ['rule', 'spare-tablespace'],
      ['check', 'odd-name'],
      ['verb', 'take-breath'],
      ['rule', 'spare-schema'],
      ['check', 'odd-name-2'],
      ['verb', 'hold-breath'],
    ] as const) {
      const { stdout } = await run(process.execPath, 'scripts/new.ts', kind, name);
      const made = [...stdout.matchAll(/^wrote (.+\.ts)$/gm)].map(([, file = '']) => file);
      await run('prettier', '--check', '--log-level', 'warn', ...made);
    }
    await run(process.execPath, 'scripts/declaration-schema.ts');
    await run('tsc', '--incremental', 'false');
    await run('vitest', 'run', ...tests, '-u');
    const todo = await execa('vitest', ['run', unwritten], { ...program, reject: false, all: true });
    for (const kept of ['rules/spare-schema.ts', 'findings.md', 'verbs/hold-breath.ts'])
      expect(todo.all).toContain(kept);
    expect(await readFile(path.join(cwd, 'docs/lint/spare-tablespace.md'), 'utf8')).toContain('Spare tablespace');
    expect(await readFile(path.join(cwd, 'docs/README.md'), 'utf8')).toContain(
      '[hold-breath](operations/hold-breath.md), [abandon]',
    );
    const again = await execa(process.execPath, ['scripts/new.ts', 'rule', 'spare-tablespace'], { cwd, reject: false });
    expect(again).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('already') as string });
  });
});

test.each([
  ['rule', 'truncate'],
  ['check', 'guard-silent'],
  ['verb', 'seed'],
])('the %s %s exists, and is not made a second time', async (kind, name) => {
  const { exitCode, stderr } = await execa(process.execPath, [path.join(root, 'scripts/new.ts'), kind, name], {
    reject: false,
  });
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('already') as string });
});

test('what is no name or no kind is refused with what was seen', async () => {
  const { exitCode, stderr } = await execa(process.execPath, [path.join(root, 'scripts/new.ts'), 'rule', 'Bad Name'], {
    reject: false,
  });
  expect(exitCode).toBe(2);
  expect(stderr).toContain('rule Bad Name');
});
