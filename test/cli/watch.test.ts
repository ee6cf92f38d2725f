import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { watchText } from '../../src/cli/watch.ts';
import type { Status } from '../../src/operations/reads/status-types.ts';
import { withCli } from '../support/cli.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

test('lag and clients are drawn over time, the newest at the right; what was never there is left out', () => {
  const look = (lagBytes: number | undefined, blue: number): Status =>
    ({
      traffic: { clients: { blue, green: 0 } },
      ...(lagBytes === undefined ? {} : { replication: { lagBytes, retainedBytes: 0 } }),
    }) as unknown as Status;
  expect(watchText([look(undefined, 2)])).not.toContain('lag');
  const [lag, , blue, green] = stripVTControlCharacters(
    watchText([look(undefined, 8), look(800, 8), look(400, 4)]),
  ).split('\n');
  expect(lag).toMatch(/^lag +█▄ 400 B .*max 800 B/);
  expect(blue).toMatch(/^on blue +██▄ 4 .*max 8/);
  expect(green).toMatch(/^on green +0 .*max 0/);
});

test('a watch looks until it is told to stop, and that is no failure', async () => {
  await withCli(async ({ folder, home, run }) => {
    expect((await run('create')).exitCode).toBe(0);
    const watching = execa(process.execPath, [main, 'status', '--watch', '--json'], {
      cwd: folder,
      env: { VERDIGRIS_HOME: home },
      reject: false,
      timeout: 100_000,
    });
    let looks = 0;
    for await (const line of watching) {
      expect(JSON.parse(line)).toMatchObject({
        type: 'status',
        status: { environment: 'shop', state: 'single', traffic: { running: true } },
      });
      if (++looks === 3) watching.kill('SIGINT');
    }
    expect(await watching).toMatchObject({ exitCode: 0, stderr: '' });
    expect(looks).toBeGreaterThanOrEqual(3);
  });
});
