import { execa } from 'execa';
import { expect, test } from 'vitest';
import { main } from '../support/cli.ts';

test('bash completes commands, their options and the values of these, made from the commands as they are', async () => {
  const { stdout: script } = await execa(process.execPath, [main, 'completion', 'bash']);
  const complete = async (...words: string[]): Promise<string[]> => {
    const line = words.map((word) => `'${word}'`).join(' ');
    const { stdout } = await execa('bash', [
      '-c',
      `${script}\nCOMP_WORDS=(verdigris ${line}); COMP_CWORD=${words.length}; _verdigris; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ]);
    return stdout.split('\n');
  };
  expect(await complete('sw')).toEqual(['switch']);
  expect(await complete('retire', '--ea')).toEqual(['--early']);
  expect(await complete('psql', '')).toEqual(expect.arrayContaining(['live', 'blue', 'green', '--as']));
  expect(await complete('release', '--to', 'ver')).toEqual(['verified']);
  expect(await complete('expand-contract', 'rename-c')).toEqual(['rename-column']);
  for (const shell of ['zsh', 'fish']) {
    const { stdout } = await execa(process.execPath, [main, 'completion', shell]);
    for (const word of ['switch', 'early', 'rename-column', 'verified']) expect(stdout).toContain(word);
  }
});

test('texts with an apostrophe are one word of each shell', async () => {
  const script = async (shell: string): Promise<string> =>
    (await execa(process.execPath, [main, 'completion', shell])).stdout;
  const summary = "all roles of the declaration, and Verdigris's own";
  // Lines for fish are simple commands, which bash reads alike.
  const read = await execa('bash', ['-c', `complete() { printf '%s\\n' "\${@: -1}"; }\n${await script('fish')}`]);
  expect(read.stdout.split('\n')).toContain(summary);
  const zsh = await script('zsh');
  const [word = ''] = /'--all:all roles(?:[^']|'"'"')*'/.exec(zsh) ?? [];
  expect((await execa('bash', ['-c', `printf %s ${word}`])).stdout).toBe(`--all:${summary}`);
});
