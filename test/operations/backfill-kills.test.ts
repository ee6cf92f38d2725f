import { execa } from 'execa';
import { expect, test } from 'vitest';
import { waitFor } from '../../src/model/wait.ts';
import { one, rows } from '../../src/postgres/client.ts';
import { withEnvironment } from '../support/environment.ts';
import { fill, main, names, release, timeout, withFolder, withSoftwareN, wrong } from './backfill-release.ts';

test('killed by SIGKILL at 20 random points while clients write: goes on each time, and every row is filled once', { timeout }, async () => {
  await withFolder({ ...names, '0002_names.backfill.yaml': `${fill}batch: { rows: 40, time: 5ms }\n` }, async (folder) => {
    await withEnvironment(release(folder, {}, 40_000), async (environment) => {
      const { verdict } = await environment.clients(async () => {
        await environment.verb('seed');
        const seen = (): Promise<number> => environment.on('green', async (client) => {
          if ((await rows(client, "SELECT FROM pg_class WHERE oid = to_regclass('verdigris.backfill')")).length === 0) return 0;
          return (await rows<{ seen: number }>(client, 'SELECT rows_seen::int AS seen FROM verdigris.backfill'))[0]?.seen ?? 0;
        });
        await withSoftwareN(environment, 100_000, async () => {
          const places: number[] = [];
          for (let kill = 0; kill < 20; kill++) {
            const until = (await seen()) + 1 + Math.floor(Math.random() * 200);
            const child = execa(process.execPath, [main, 'migrate', '--json', '--file', environment.declaration], { reject: false, env: { VERDIGRIS_HOME: environment.home } });
            await waitFor(async () => ((await seen()) >= until ? true : undefined), { limit: 60_000, every: 1, slowest: 5, what: 'progress', next: '' });
            child.kill('SIGKILL');
            expect(await child).toMatchObject({ signal: 'SIGKILL' });
            places.push(await seen());
          }
          // Each began where the one before it was killed, and none at the beginning.
          expect(places).toEqual(places.toSorted((a, b) => a - b));
          expect(new Set(places).size).toBe(20);
          expect(places.at(-1)).toBeLessThan(40_000);
          await environment.verb('migrate');
          await environment.verb('verify');
        });
        expect(await environment.on('green', (client) => one(client, 'SELECT min(times) AS least, max(times) AS most, count(*)::int AS n FROM person WHERE id > 500 AND id <= 40000'))).toEqual({ least: 1, most: 1, n: 39_500 });
        expect(await wrong(environment, 'green')).toEqual({ n: 0 });
        await environment.verb('switch');
      });
      expect(verdict).toMatchObject({ ok: true });
      expect(await wrong(environment, 'green')).toEqual({ n: 0 });
    });
  });
});
