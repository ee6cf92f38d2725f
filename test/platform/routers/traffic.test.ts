import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { HoldWatch } from '../../../src/platform/hold-watch/watch.ts';
import { JournalDatabase } from '../../../src/platform/postgres-journal/database.ts';
import { routerTables } from '../../../src/platform/postgres-journal/tables.ts';
import { FileRoutes } from '../../../src/platform/routers/files.ts';
import type { RouteStore } from '../../../src/platform/routers/store.ts';
import { TableRoutes } from '../../../src/platform/routers/table.ts';
import { RoutersTraffic } from '../../../src/platform/routers/traffic.ts';
import { WhoAnswers } from '../../../src/platform/who-answers.ts';
import type { Beat } from '../../../src/router/follow/route.ts';
import { withExternalServer } from '../../support/external.ts';
import { failure } from '../../support/failure.ts';
import { temporaryFolder, testMajor } from '../../support/postgres.ts';
import { startFollowing } from '../../support/routers.ts';
import { until } from '../../support/until.ts';

/** What a router says of itself, for a test that plays one. */
function said(id: string, more: Partial<Beat> = {}): Beat {
  const nothing = { applied: 1, hold: null, answer: null, reach: {}, clients: { blue: 0, green: 0 } };
  return { id, address: `${id}:5432`, beat: randomUUID(), trustMs: 100, ...nothing, ...more };
}

/** The clients' path, with nobody who would recover a hold. */
async function withTraffic(store: RouteStore, use: (traffic: RoutersTraffic) => Promise<void>): Promise<void> {
  const begin: HoldWatch['begin'] = async (_token, _span, work) => void (await work());
  const nobody = { prepare: resolved, begin, renew: resolved, end: () => undefined, leave: () => undefined };
  const who = new WhoAnswers(() => Promise.resolve(undefined));
  const traffic = new RoutersTraffic({ kind: 'routers' }, { store, watch: nobody as unknown as HoldWatch, who });
  try {
    await traffic.create('blue');
    await use(traffic);
    await traffic.remove();
  } finally {
    await traffic.close();
  }
}

function resolved(): Promise<void> {
  return Promise.resolve();
}

/** A router that goes on saying what it does, until it is stopped; `does`: what it says to a hold. */
function playing(store: RouteStore, id: string, does: (hold: string) => Beat['hold']): () => Promise<void> {
  let goes = true;
  const work = (async () => {
    for (let hold: Beat['hold'] = null, applied = 0; goes;) {
      await store.beat(said(id, { hold, applied, trustMs: 1_000 }));
      const route = (await store.read())?.route;
      applied = route?.seq ?? 0;
      hold = route?.said.held ? does(route.said.held.id) : null;
    }
  })();
  return async () => {
    goes = false;
    await work;
  };
}

const holding = (id: string): Beat['hold'] => ({ id, held: true });

async function eachStore(use: (store: RouteStore) => Promise<void>): Promise<void> {
  const folder = await temporaryFolder();
  await use(new FileRoutes(path.join(folder, 'routers')));
  await rm(folder, { recursive: true });
  await withExternalServer(testMajor, ({ superuser }) =>
    use(new TableRoutes(new JournalDatabase(superuser, routerTables), 'shop')),
  );
}

test('a hold is granted once each router holds or believes nothing any more; where one serves on, all are let go', async () => {
  await eachStore((store) =>
    withTraffic(store, async (traffic) => {
      expect((await failure(traffic.hold(1, 50, 1_000))).message).toContain('No router holds clients');
      const stopA = playing(store, 'a', holding);
      await traffic.prepare(2);
      await traffic.hold(2, 500, 1_000);
      expect((await traffic.status()).held).toMatchObject({ token: 2 });
      await traffic.resume(2);

      // One that is there and does not hold.
      const stopB = playing(store, 'b', () => null);
      await traffic.prepare(3);
      const refused = await failure(traffic.hold(3, 50, 1_000));
      expect(refused).toMatchObject({ id: 'routers-silent', facts: { routers: ['b (b:5432)'] } });
      expect((await traffic.status()).held).toBeUndefined();
      await stopB();

      // It says nothing any more: until it believes nothing it is waited for, and then it is none.
      const from = performance.now();
      await traffic.prepare(4);
      expect(performance.now() - from).toBeGreaterThan(1_900);
      await traffic.hold(4, 500, 1_000);
      expect((await store.beats()).map(({ id }) => id)).toEqual(['a']);

      expect(await failure(store.write(3, { held: null }))).toMatchObject({ id: 'stale-token' });
      expect((await store.read())?.route.said.held).not.toBeNull();
      await traffic.resume(4);
      await stopA();
    }),
  );
});

test('a router that has only just begun is waited for before it is judged; one that knows no such server is named', async () => {
  const folder = await temporaryFolder();
  const store = new FileRoutes(path.join(folder, 'routers'));
  await withTraffic(store, async (traffic) => {
    const [trial] = traffic.trials({ live: 'blue', idle: undefined, carried: false });
    await store.beat(said('a', { reach: null }));
    const judged = trial?.use();
    await store.beat(said('a', { reach: { blue: null } }));
    await judged;
    await store.beat(said('a', { reach: { green: null } }));
    expect(String(await trial?.use().catch(String))).toContain('a: blue: it knows no such server');
  });
  await rm(folder, { recursive: true });
});

test('one that comes back after it was passed over must hold too', async () => {
  const folder = await temporaryFolder();
  const store = new FileRoutes(path.join(folder, 'routers'));
  await withTraffic(store, async (traffic) => {
    const stop = playing(store, 'a', holding);
    await store.beat(said('b'));
    await traffic.prepare(1);
    expect((await store.beats()).map(({ id }) => id)).toEqual(['a']);
    const back = playing(store, 'b', () => null);
    await until('b is back', async () => (await store.beats()).length === 2);
    expect(await failure(traffic.hold(1, 50, 1_000))).toMatchObject({ id: 'routers-silent' });
    await back();
    await stop();
  });
  await rm(folder, { recursive: true });
});

test('a router serves from its first sight of the route, waits and refuses without one, and leaves in order', async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'shop.json');
  const server = (port: number) => ({ kind: 'external', host: '127.0.0.1', port, user: 'postgres' });
  const declared = {
    ...{ name: 'shop', platform: 'local', database: 'shop', live: 'blue', roles: { application: ['app'] } },
    colours: { blue: { release: '1', postgres: 17, server: server(1) } },
    local: { passwords: { app: { command: ['printf', 'x'] } } },
    traffic: { kind: 'routers', address: '127.0.0.1:5432', trustFor: '2s', holdFor: '1s' },
  };
  await writeFile(file, JSON.stringify(declared));
  const store = new FileRoutes(path.join(folder, 'home', 'shop', 'routers'));
  const router = await startFollowing(file, path.join(folder, 'home'), 'a');
  try {
    await until('it looks', () => router.log().includes('which colour is live'));
    expect(router.log()).not.toContain('takes clients');
    await store.first({ live: 'blue', weights: { blue: 100, green: 0 }, unseen: false, soon: false, held: null });
    await router.serves();
    await until('it says so', async () => (await store.beats())[0]?.reach?.blue?.includes('ECONNREFUSED') === true);
    const kept = await store.read();
    await store.forget();
    await until('it refuses', () => router.log().includes('clients are refused'), 20_000);
    expect(router.log()).toContain('clients wait');
    await store.first(kept?.route.said ?? expect.fail('it was written'));
    await until('it serves again', () => router.log().split('takes clients').length === 3, 20_000);
    router.kill('SIGTERM');
    expect(await router.ended).toMatchObject({ exitCode: 0 });
    expect(await store.beats()).toEqual([]);
  } finally {
    router.kill('SIGKILL');
    await router.ended;
    await rm(folder, { recursive: true });
  }
});
