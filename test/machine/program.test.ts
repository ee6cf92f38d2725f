import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { programEnd, startProgram } from '../../src/machine/program.ts';
import { processStart } from '../../src/machine/process.ts';
import { temporaryFolder } from '../support/postgres.ts';

const shell = (script: string, options: Partial<Parameters<typeof startProgram>[2]> = {}) =>
  startProgram('/bin/sh', ['-c', script], { inherits: 'ordinary', ...options });

async function pidIn(file: string): Promise<number> {
  return Number((await readFile(file, 'utf8')).trim());
}

test('what a program left in the background ends with it, and it sees nothing but what it was given', async () => {
  const file = path.join(await temporaryFolder(), 'pid');
  vi.stubEnv('PGHOST', 'elsewhere');
  const result = await programEnd(
    shell(`sleep 300 >/dev/null 2>&1 & echo $! >"$FILE"; echo "host:$PGHOST"`, { env: { FILE: file } }),
  );
  expect(result.all).toBe('host:');
  await expect.poll(async () => processStart(await pidIn(file)), { timeout: 5_000 }).toBe('');
});

test('past its time limit it is stopped with all that it started, and says so', async () => {
  const file = path.join(await temporaryFolder(), 'pid');
  const result = await programEnd(shell(`sleep 300 & echo $! >"$FILE"; wait`, { env: { FILE: file }, limit: 500 }));
  expect(result.timedOut).toBe(true);
  await expect.poll(async () => processStart(await pidIn(file)), { timeout: 5_000 }).toBe('');
});

test('a signal stops it; it never rejects', async () => {
  const stop = new AbortController();
  const program = shell('sleep 300', { signal: stop.signal });
  stop.abort();
  expect((await programEnd(program)).isCanceled).toBe(true);
  expect((await programEnd(startProgram('/no/such/program', [], { inherits: 'ordinary' }))).failed).toBe(true);
});

test('a daemon that a program leaves behind with its output open is not waited for, whether it ended by itself or had to', async () => {
  const left = 'setsid sleep 60 & echo "$!"';
  const from = performance.now();
  const [itself, stopped] = await Promise.all([
    programEnd(startProgram('bash', ['-c', `${left}; exit 3`], { inherits: 'ordinary' })),
    programEnd(startProgram('bash', ['-c', `${left}; sleep 60`], { inherits: 'ordinary', limit: 500, grace: 500 })),
  ]);
  expect(performance.now() - from).toBeLessThan(30_000);
  expect(itself).toMatchObject({ exitCode: 3, failed: true });
  expect(stopped).toMatchObject({ timedOut: true });
  for (const { all } of [itself, stopped]) process.kill(Number(all));
});
