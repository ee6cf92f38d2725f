import { readdir } from 'node:fs/promises';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { main, withCli } from '../support/cli.ts';
import { atTerminal, type Terminal } from '../support/pty.ts';

test(
  'a demo that is interrupted leaves nothing, and one that was killed is cleaned up by the next',
  { timeout: 600_000 },
  async () => {
    await withCli(async ({ folder }) => {
      const demos = async (): Promise<string[]> =>
        (await readdir(folder)).filter((name) => name.startsWith('verdigris-demo-'));
      const demo = (): Terminal => atTerminal(['demo'], folder, { TMPDIR: folder });
      const first = demo();
      await first.shows('writers and 4 readers are at work');
      first.types('\x03');
      expect(await first.ended, first.shown()).toBe(130);
      expect(await demos()).toEqual([]);

      const killed = execa(process.execPath, [main, 'demo'], { cwd: folder, env: { TMPDIR: folder }, reject: false });
      for await (const line of killed) if (line.includes('blue serves at')) killed.kill('SIGKILL');
      expect(await demos()).toHaveLength(1);
      const [left] = await demos();
      const next = demo();
      await next.shows(`Removed what a demo that was killed had left: ${folder}/${left}`);
      next.types('\x03');
      expect(await next.ended, next.shown()).toBe(130);
      expect(await demos()).toEqual([]);
    });
  },
);
