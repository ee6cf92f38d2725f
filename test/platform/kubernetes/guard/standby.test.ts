import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { Standby } from '../../../../src/platform/kubernetes/guard/standby.ts';
import { temporaryFolder } from '../../../support/postgres.ts';
import { until } from '../../../support/until.ts';

/** Says its process id, hangs, or ends, as it is told; it takes a while to load. */
const program = `
await new Promise((resolve) => setTimeout(resolve, 100));
process.on('message', ({ what }) => {
  if (what === 'say') process.send(String(process.pid));
  if (what === 'end') process.exit(3);
});
process.once('disconnect', () => process.exit());
process.send('loaded');
`;

test('one process does one work after the other; one that hangs is killed, one that ends is known at once, and the next takes its place', async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'standby.mjs');
  await writeFile(file, program);
  const stop = new AbortController();
  try {
    const standby = new Standby([process.execPath, file], 2_000, stop.signal);
    const again = async (): Promise<string> => {
      let said = '';
      await until(
        'a process that works',
        async () => /^\d+$/.test((said = await standby.act({ what: 'say' }))),
        20_000,
      );
      return said;
    };
    // Asked before it is loaded.
    const first = await standby.act({ what: 'say' });
    expect(await standby.act({ what: 'say' })).toBe(first);
    expect(await standby.act({ what: 'end' })).toBe('ended with 3');
    expect(await standby.act({ what: 'say' })).toBe('not loaded again yet');
    const second = await again();
    expect(second).not.toBe(first);
    const began = performance.now();
    expect(await standby.act({ what: 'hang' })).toBe('not done after 2000 ms');
    await until('its end', async () => !alive(Number(second)), 10_000);
    expect(performance.now() - began).toBeLessThan(15_000);
    expect(await again()).not.toBe(second);
  } finally {
    stop.abort();
    await rm(folder, { recursive: true, force: true });
  }
});

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
