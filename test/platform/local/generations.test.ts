import { chmod, chown, lchown, mkdir, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { LocalLeases } from '../../../src/platform/local/leases.ts';
import { Records } from '../../../src/platform/local/records.ts';
import { parseEnvironment } from '../../../src/model/environment.ts';
import { LocalPlatform } from '../../../src/platform/local/platform.ts';
import { requireFitHome, requireOwnFolder } from '../../../src/platform/local/own-files.ts';
import { chooseSockets, ownFolder } from '../../../src/platform/local/sockets.ts';
import { thisProcess } from '../../../src/machine/process.ts';
import { withEnvironment } from '../../support/environment.ts';
import { testMajor, inFolder } from '../../support/postgres.ts';

const root = process.getuid?.() === 0;

test('a server is removed only as the generation that was meant; one that took its place keeps data, sockets and record', async () => {
  await withEnvironment({}, async ({ platform, on }) => {
    const { sockets } = (await platform.servers.local.upstream('blue')) ?? { sockets: '' };
    for (const meant of [undefined, 0, 2])
      await expect(platform.servers.remove('blue', meant)).rejects.toMatchObject({
        code: 'busy',
        id: 'other-generation',
      });
    await expect(platform.servers.stop('blue', 'fast', 2)).rejects.toMatchObject({ id: 'other-generation' });
    expect((await stat(sockets)).mode & 0o777).toBe(0o700);
    await on('blue', (client) => client.query('SELECT 1'));
  });
});

test('what others wrote down about servers is neither taken away nor brought back by who read before them', async () => {
  await inFolder(async (folder) => {
    const legacy = path.join(folder, 'servers.json');
    await writeFile(legacy, JSON.stringify({ blue: { generation: 1, major: 17, port: 1 } }));
    const open = (): Records => new Records(folder, legacy);
    await Promise.all(
      [...Array(6).keys()].map((number) =>
        open().change((records) => ({
          ...records,
          green: { generation: (records.green?.generation ?? 0) + 1, major: 17, port: number + 1 },
        })),
      ),
    );
    expect(await open().read()).toMatchObject({ blue: { generation: 1 }, green: { generation: 6 } });
  });
});

test.runIf(root)(
  'a folder that somebody else made, and a link, are refused; what is behind the link stays as it is',
  async () => {
    await inFolder(async (folder) => {
      const [victim, link, foreign] = ['victim', 'link', 'foreign'].map((name) => path.join(folder, name)) as [
        string,
        string,
        string,
      ];
      await mkdir(victim, { mode: 0o755 });
      await symlink(victim, link);
      await mkdir(foreign);
      await chown(foreign, 12_345, 12_345);
      for (const name of [link, foreign])
        await expect(ownFolder(name, { uid: 54_321, gid: 54_321 })).rejects.toMatchObject({ id: 'folder-taken' });
      expect(await stat(victim)).toMatchObject({ uid: 0 });
      expect((await stat(victim)).mode & 0o777).toBe(0o755);
    });
  },
);

const environment = parseEnvironment(
  {
    name: 'shop',
    platform: 'local',
    database: 'shop',
    roles: { application: ['shop_app'], readers: [] },
    colours: { blue: { release: '1', postgres: testMajor }, green: { release: '2', postgres: testMajor } },
    live: 'blue',
  },
  'the test',
);

test('a folder to which others may write, and passwords that they may read, are refused with the mode and what sets it right', async () => {
  await inFolder(async (home) => {
    const { places } = await LocalPlatform.open(environment, home);
    for (const folder of [home, places.root, places.journal, places.leases, places.servers, places.router])
      for (const mode of [0o770, 0o702]) {
        const { mode: before } = await stat(folder);
        await chmod(folder, mode);
        await expect(LocalPlatform.open(environment, home)).rejects.toMatchObject({
          id: 'open-to-others',
          facts: { file: folder, mode: mode.toString(8) },
          next: expect.stringContaining(`chmod go-w ${folder}`),
        });
        await chmod(folder, before & 0o7777);
      }
    await writeFile(places.credentials, '{}', { mode: 0o640 });
    await expect(LocalPlatform.open(environment, home)).rejects.toMatchObject({
      id: 'open-to-others',
      facts: { file: places.credentials, mode: '640' },
    });
    await chmod(places.credentials, 0o600);
    await LocalPlatform.open(environment, home);
  });
});

test.runIf(root)("an environment is not kept in a folder of somebody else's, nor behind a link of his", async () => {
  await inFolder(async (folder) => {
    const own = path.join(folder, 'own');
    await mkdir(own);
    await symlink(own, path.join(folder, 'mine'));
    for (const name of [own, path.join(folder, 'mine')]) await requireOwnFolder(name);
    await symlink(own, path.join(folder, 'his'));
    await lchown(path.join(folder, 'his'), 12_345, 12_345);
    await mkdir(path.join(folder, 'foreign'));
    await chown(path.join(folder, 'foreign'), 12_345, 12_345);
    for (const name of ['his', 'foreign']) {
      const home = path.join(folder, `home-of-${name}`);
      await mkdir(home);
      await rename(path.join(folder, name), path.join(home, 'shop'));
      const opened = LocalPlatform.open(environment, home);
      await expect(opened).rejects.toMatchObject({ id: 'folder-taken', facts: { folder: path.join(home, 'shop') } });
      expect(await readdir(own)).toEqual([]);
      expect(await readdir(path.join(home, 'shop'))).toEqual([]);
    }
  });
});

test("a home whose name breaks PostgreSQL's programs is refused before anything is made in it", () => {
  for (const name of ['a$HOME', 'a`b', 'a"b', 'a\\b', 'a,b', 'a\nb'])
    expect(() => requireFitHome(`/srv/${name}`), name).toThrow(expect.objectContaining({ id: 'home-unfit' }) as Error);
  for (const name of ["Ann's home", 'überall', '#1 (50 %)']) requireFitHome(`/srv/${name}`);
});

test('a socket has a path that the system takes, however long the name of the home', async () => {
  const long = await chooseSockets(`/${'home/'.repeat(30)}shop`, 'blue-1');
  expect(long.length).toBeLessThan(90);
  expect(await chooseSockets('/var/lib/verdigris/shop', 'blue-1')).toBe('/var/lib/verdigris/shop/s/blue-1');
  if (!root) await rm(path.dirname(long), { recursive: true });
});

test('the holder of a lease in another process namespace is not taken for dead; it is waited out', async () => {
  await inFolder(async (folder) => {
    const leases = new LocalLeases(folder);
    const [boot = '', , pid = '', started = ''] = ((await thisProcess()) ?? '').split(' ');
    const held = (process: string): string =>
      JSON.stringify({ holder: 'other', pid: Number(pid), process, since: '2026-01-01', released: false });
    await writeFile(path.join(folder, '00000001.json'), held(`${boot} pid:[1] ${pid} 1`));
    await expect(leases.acquire('mine')).rejects.toMatchObject({ id: 'lease-held' });
    const here = ((await thisProcess()) ?? '').split(' ')[1];
    await writeFile(path.join(folder, '00000001.json'), held(`${boot} ${here} ${pid} ${Number(started) + 1}`));
    expect((await leases.acquire('mine')).token).toBe(2);
  });
});
