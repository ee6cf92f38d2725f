import { rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parseEnvironment } from '../../../src/model/environment.ts';
import { LocalPlatform } from '../../../src/platform/local/platform.ts';
import { routerFiles } from '../../../src/router/config.ts';
import { launchRouter, routerPid, stopRouter } from '../../../src/router/launch.ts';
import { temporaryFolder } from '../../support/postgres.ts';
import { until } from '../../support/until.ts';
import { freePort } from '../../../src/platform/local/ports.ts';

test('a router that was killed, or cannot be told anything any more, is started again by what needs it, and holds what it held', async () => {
  const folder = await temporaryFolder();
  const environment = parseEnvironment(
    {
      name: 'shop',
      platform: 'local',
      database: 'shop',
      roles: { application: ['app'] },
      colours: { blue: { release: '1', postgres: 17 }, green: { release: '2', postgres: 17 } },
      live: 'blue',
    },
    'the test',
  );
  const { places, traffic } = await LocalPlatform.open(environment, path.join(folder, 'home'));
  const upstream = (port: number) => ({ port, sockets: folder });
  try {
    // Nobody connects: what the servers would say does not matter.
    await launchRouter(places.router, {
      environment: 'shop',
      listen: { host: '127.0.0.1', port: await freePort() },
      readers: [],
      live: 'blue',
      weights: { blue: 100, green: 0 },
      upstreams: { blue: upstream(1), green: upstream(2) },
      recover: { argv: ['/bin/true'], env: {} },
    });
    await traffic.hold(1, 1_000, 60_000);
    const first = await routerPid(places.router);
    process.kill(first ?? 0, 'SIGKILL');
    await until('the router gone', async () => (await routerPid(places.router)) === undefined);
    await traffic.route(1, 'green', 0);
    const second = await routerPid(places.router);
    expect(second).not.toBe(first);
    expect(await traffic.status()).toMatchObject({ running: true, live: 'green', held: { token: 1 } });

    // It runs, and a connection made now reaches nobody.
    await rm(routerFiles(places.router).control);
    const { traffic: another } = await LocalPlatform.open(environment, path.join(folder, 'home'));
    await another.resume(1);
    expect(await routerPid(places.router)).not.toBe(second);
    expect(await another.status()).toMatchObject({ running: true, live: 'green', held: undefined });
    // A request that is refused is no sign of a dead router.
    const third = await routerPid(places.router);
    await expect(another.resume(0)).rejects.toMatchObject({ id: 'stale-token' });
    expect(await routerPid(places.router)).toBe(third);
  } finally {
    await stopRouter(places.router);
    await rm(folder, { recursive: true, force: true });
  }
});
