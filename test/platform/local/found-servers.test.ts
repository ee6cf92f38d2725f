import { appendFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { LocalPlatform } from '../../../src/platform/local/platform.ts';
import { foundServers } from '../../../src/platform/local/found-servers.ts';
import { KnownServers } from '../../../src/platform/local/known-servers.ts';
import { knownSockets } from '../../../src/platform/local/sockets.ts';
import { one } from '../../../src/postgres/client.ts';
import { withEnvironment } from '../../support/environment.ts';

test('servers whose records were lost or cut are known by their directories, run on, and are written down again', async () => {
  await withEnvironment({}, async ({ platform, environment, on }) => {
    const { places } = platform;
    const before = await new KnownServers(environment, places, undefined).records.read();
    expect(await foundServers(places.root)).toEqual(before);
    for (const lose of [
      async (file: string) => writeFile(file, ''),
      async (file: string) => rm(file),
      async () => rm(places.servers, { recursive: true }),
    ]) {
      for (const name of await readdir(places.servers)) await lose(path.join(places.servers, name));
      const again = await LocalPlatform.open(environment, places.home);
      expect(await again.servers.observe('blue')).toMatchObject({ running: true, generation: 1 });
      await again.servers.stop('blue', 'fast', 1);
      await again.servers.start('blue');
      expect(await on('blue', (client) => one(client, 'SELECT 1 AS one'))).toEqual({ one: 1 });
      const { records } = new KnownServers(environment, places, undefined);
      await records.change((known) => ({ ...known }));
      const [written = ''] = (await readdir(places.servers)).sort().reverse();
      expect(JSON.parse(await readFile(path.join(places.servers, written), 'utf8'))).toEqual(before);
    }
  });
});

test('a directory that is not whole, and one that names a folder of sockets that was never chosen, is no server', async () => {
  await withEnvironment({}, async ({ platform }) => {
    const { places } = platform;
    const blue = await foundServers(places.root);
    await mkdir(path.join(places.server('green', 2), 'data', 'global'), { recursive: true });
    await writeFile(path.join(places.server('green', 2), 'data', 'PG_VERSION'), '17\n');
    expect(await foundServers(places.root)).toEqual(blue);
    await appendFile(path.join(places.server('blue', 1), 'data', 'verdigris.conf'), '# as it was\n');
    expect(await foundServers(places.root)).toEqual(blue);
    await writeFile(
      path.join(places.server('blue', 1), 'data', 'verdigris.conf'),
      "port = '1'\nunix_socket_directories = '/etc/blue-2'\n",
    );
    expect(await foundServers(places.root)).toEqual({});
    expect(knownSockets(places.root, 'blue-1', path.join(places.root, 's', 'blue-2'))).toBe(false);
  });
});
