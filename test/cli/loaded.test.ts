import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { main, withCli } from '../support/cli.ts';
import { tracer } from '../support/tracer.ts';

test('status loads neither verbs nor engines where nothing is to be switched: half of a short command is its loading', () =>
  withCli(async ({ folder, home }) => {
    const hooks = path.join(folder, 'tracer.mjs');
    await writeFile(hooks, tracer);
    const { stderr, exitCode } = await execa(process.execPath, ['--import', hooks, main, 'status', '--json'], {
      cwd: folder,
      reject: false,
      env: { VERDIGRIS_HOME: home },
    });
    expect(exitCode, 'refused: there is no environment').toBe(4);
    const loaded = [...stderr.matchAll(/^loaded (.*)$/gm)].map(([, url]) => url ?? '');
    expect(loaded.filter((url) => url.endsWith('/src/operations/reads/status.ts'))).toHaveLength(1);
    const late = /\/src\/(operations\/(verbs|table)|migrations\/engines)|\/node_modules\/(execa|libpg-query)\//;
    expect(loaded.filter((url) => late.test(url))).toEqual([]);
  }));

test('the help loads no command, and help of a command that is not there names the nearest', () =>
  withCli(async ({ folder, home }) => {
    const hooks = path.join(folder, 'tracer.mjs');
    await writeFile(hooks, tracer);
    const run = (...args: string[]) =>
      execa(process.execPath, ['--import', hooks, main, ...args], {
        cwd: folder,
        reject: false,
        env: { VERDIGRIS_HOME: home },
      });
    const { stderr, stdout, exitCode } = await run('--help');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('\n  switch ');
    const own = [...stderr.matchAll(/^loaded .*\/(src\/.*)$/gm)].map(([, file]) => file ?? '').sort();
    expect(own.filter((file) => file !== 'src/cli/verdigris.js')).toEqual([
      'src/cli/commands.ts',
      'src/cli/main.ts',
      'src/cli/program.ts',
      'src/cli/summaries.ts',
      'src/cli/wrap.ts',
      'src/machine/outlive.ts',
      'src/model/harmless.ts',
      'src/model/transitions.ts',
      'src/model/version.ts',
    ]);
    const wrong = await run('help', 'swich');
    expect(wrong.stderr.replaceAll(/^loaded .*\n/gm, '')).toBe(
      "error: unknown command 'swich'\n(Did you mean switch?)",
    );
    expect(wrong.exitCode).toBe(2);
    expect((await run('help', 'fleet', 'status')).stdout).toContain('Usage: verdigris fleet status');
  }));
