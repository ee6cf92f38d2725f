import { createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { probeDatabases } from '../../../src/manifests/pooler-settings.ts';
import { parseEnvironment } from '../../../src/model/environment.ts';
import { Probes } from '../../../src/platform/kubernetes/probes.ts';

test('a pooler that does not answer is asked again over the connection that is under way, and no second one is begun', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => void sockets.push(socket));
  await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening));
  const { port } = silent.address() as AddressInfo;
  const environment = parseEnvironment(
    {
      name: 'shop',
      platform: 'local',
      database: 'shop',
      roles: { application: ['app'] },
      colours: { blue: { release: '1', postgres: 17 } },
      live: 'blue',
    },
    'the test',
  );
  const probes = new Probes(environment, {
    client: (_, user, database) => Promise.resolve({ host: '127.0.0.1', port, user, database }),
    reconnect: () => Promise.resolve(true),
  });
  try {
    for (let asked = 0; asked < 2; asked++)
      await expect(probes.ask({ pod: 'pooler-0', address: { host: '127.0.0.1', port } })).rejects.toThrow(
        /no answer through pooler-0/,
      );
    expect(sockets).toHaveLength(probeDatabases.length);
  } finally {
    await probes.forget();
    for (const socket of sockets) socket.destroy();
    silent.close();
  }
});
