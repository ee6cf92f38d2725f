import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { main, withCli } from '../support/cli.ts';

/** Writes the address of each file that Node loads to standard error. */
const tracer = `
import { registerHooks } from 'node:module';
import { writeSync } from 'node:fs';
registerHooks({
  load(url, context, next) {
    writeSync(2, 'loaded ' + url + '\\n');
    return next(url, context);
  },
});
`;

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
