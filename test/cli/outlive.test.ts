import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { declaration, withCli } from '../support/cli.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** Runs a command whose reader goes away: at once, or when it has read something. */
async function unread(
  args: readonly string[],
  { cwd = process.cwd(), home = '', reads = false } = {},
): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env: { ...process.env, VERDIGRIS_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close') as Promise<[number | null]>;
  const stderr = text(child.stderr);
  if (reads) child.stdout.once('data', () => child.stdout.destroy());
  else child.stdout.destroy();
  return { code: (await closed)[0], stderr: await stderr };
}

test('help that nobody reads is no failure', async () => {
  expect(await unread(['seed', '--help'])).toEqual({ code: 0, stderr: '' });
});

test('a release whose reader goes away after the first lines is brought to its end', { timeout: 300_000 }, async () => {
  await withCli(async ({ run, declare, folder, home }) => {
    expect(await run('create')).toMatchObject({ exitCode: 0 });
    await declare({ ...declaration, live: 'green' });
    expect(await unread(['release', '--to', 'switched'], { cwd: folder, home, reads: true })).toEqual({
      code: 0,
      stderr: '',
    });
    expect(await run('status', '--json')).toMatchObject({ result: { state: 'switched', live: 'green' } });
  });
});
