import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { endWithEngine } from '../../../src/pulumi/provider/engine-death.ts';
import { temporaryFolder } from '../../support/postgres.ts';
import { until } from '../../support/until.ts';

const main = fileURLToPath(new URL('../../../src/pulumi/provider/main.ts', import.meta.url));

test('a provider whose engine is killed ends, and is not left to another parent', async () => {
  const folder = await temporaryFolder();
  const said = path.join(folder, 'port');
  const pid = path.join(folder, 'pid');
  // As the engine does: it starts the provider, reads its port, and is gone by SIGKILL.
  const engine = execa('sh', ['-c', `'${process.execPath}' '${main}' >'${said}' & echo $! >'${pid}'; wait`], {
    reject: false,
  });
  await until('the provider serves', async () => /^\d+\n$/.test(await readFile(said, 'utf8').catch(() => '')), 120_000);
  const provider = Number(await readFile(pid, 'utf8'));
  expect(alive(provider)).toBe(true);
  engine.kill('SIGKILL');
  await engine;
  await until('the provider has ended', () => Promise.resolve(!alive(provider)));
  await rm(folder, { recursive: true });
});

test('what is at work is cancelled and waited for; what never comes to its end is not waited for without limit', async () => {
  for (const comes of [true, false]) {
    const seen: string[] = [];
    const work = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    endWithEngine(
      {
        cancel: (reason) => {
          seen.push(`cancelled: ${reason}`);
          if (comes) setTimeout(() => (seen.push('undone'), work.resolve()), 50);
        },
        settled: () => work.promise,
      },
      () => false,
      () => (seen.push('ended'), ended.resolve()),
      comes ? 60_000 : 100,
    );
    // The watch alone keeps no process alive.
    const held = setInterval(() => undefined, 1_000);
    await ended.promise;
    clearInterval(held);
    expect(seen).toEqual(['cancelled: the Pulumi engine has ended', ...(comes ? ['undone'] : []), 'ended']);
  }
});

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
