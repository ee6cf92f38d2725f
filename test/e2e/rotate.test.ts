import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { objectNames } from '../../src/manifests/names.ts';
import { consoleReader, consoleUser } from '../../src/manifests/pooler-users.ts';
import { ownNames } from '../../src/model/own-passwords.ts';
import { Cluster } from '../../src/platform/kubernetes/cluster.ts';
import { Console } from '../../src/platform/poolers/console.ts';
import type { Replica } from '../../src/platform/poolers/consoles.ts';
import type { TrafficStatus } from '../../src/platform/port/traffic.ts';
import { KubernetesPlatform } from '../../src/platform/kubernetes/platform.ts';
import { rows } from '../../src/postgres/client.ts';
import type { ConnectionSettings } from '../../src/postgres/connection.ts';
import { withOwnSession, withPooledSession } from '../../src/postgres/session.ts';
import { good } from '../support/verdict.ts';
import { rotate, rotateVerdigris } from '../support/rotate.ts';
import { allLogged, placesOf, secretsOf } from './support/no-secret.ts';
import { withClusterEnvironment, type ClusterEnvironment } from './support/environment.ts';

/** With this password and no other. */
function letsIn({ others: _, ...settings }: ConnectionSettings): Promise<boolean> {
  return withOwnSession(settings, 'test', () => Promise.resolve(true)).catch(() => false);
}

/**
 * A client that reads its Secret and logs in through each pooler, again and again until `work` ends; what it was
 * refused with.
 */
async function honest({ platform }: ClusterEnvironment, work: () => Promise<void>): Promise<string[]> {
  const failed: string[] = [];
  let over = false;
  const live = async (): Promise<void> => {
    while (!over) {
      platform.secrets.forget(objectNames.roleSecret('shop', 'shop_app'));
      for (const replica of await platform.poolers.replicas())
        await withPooledSession(await platform.poolers.client(replica, 'shop_app', 'shop'), 'client', (client) =>
          rows(client, 'SELECT 1'),
        ).catch((error: unknown) => failed.push(String(error)));
      await sleep(200);
    }
  };
  const living = live();
  await work().finally(() => (over = true));
  await living;
  return failed;
}

/** Whoever reads the reader's Secret sees who is held, by the password of now, and can hold and let go of nobody. */
async function onlyShown(platform: KubernetesPlatform, replica: Replica, before: TrafficStatus): Promise<void> {
  expect(before.trouble).toBeUndefined();
  await withOwnSession(await platform.servers.readerConnection('blue'), 'test', () => Promise.resolve());
  const login = { ...replica.address, user: consoleReader, password: await platform.secrets.consoleReader() };
  const shown = await Console.open(login, 'test');
  for (const command of ['PAUSE shop', 'RESUME shop', 'RELOAD', 'KILL shop', 'SHUTDOWN', 'SET max_client_conn = 1'])
    await expect(shown.say(command), command).rejects.toThrow(/not allowed|admin access|permission/i);
  await shown.close();
  await platform.poolers.say(replica, 'PAUSE shop');
  expect(await platform.traffic.readerStatus()).toMatchObject({ held: { since: undefined, token: 0 } });
  await platform.poolers.say(replica, 'RESUME shop');
  expect((await platform.traffic.readerStatus()).held).toBeUndefined();
}

test("on a cluster passwords change beside clients and a release: a role's by another login, and all of Verdigris's own", async () => {
  const declared = { kubernetes: { pooler: { replicas: 1 }, settings: allLogged } };
  await withClusterEnvironment(declared, async (test) => {
    const { verb, clients, environment, namespace, on } = test;
    const secrets = new Set(await secretsOf(namespace.admin));
    // Somebody whose process was there before.
    const other = new KubernetesPlatform(environment, Cluster.of(namespace.operator, namespace.name));
    // Who only looks, and has looked before.
    const looker = new KubernetesPlatform(environment, Cluster.of(namespace.operator, namespace.name));
    expect(await looker.traffic.readerStatus()).toMatchObject({ running: true, live: 'blue', held: undefined });
    expect(await withOwnSession(await looker.servers.readerConnection('blue'), 'test', () => Promise.resolve(1))).toBe(
      1,
    );
    const [before, console] = [await other.servers.connection('blue'), await other.secrets.console()];
    for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
    const { verdict } = await clients(async () => {
      const failed = await honest(test, async () => {
        expect(await rotate(test, 'shop_app')).toMatchObject({ login: 'shop_app_1', before: { login: 'shop_app' } });
        for (const name of ownNames) await rotateVerdigris(test, name);
      });
      expect(failed).toEqual([]);
      await verb('switch');
      await verb('rollback');
    });
    expect(verdict).toMatchObject(good);
    const first = secrets.size;
    for (const secret of await secretsOf(namespace.admin)) secrets.add(secret);
    // Of a role, of each of Verdigris's own, of the two readers that follow from them.
    expect(secrets.size).toBeGreaterThanOrEqual(first + 6);
    expect(await placesOf(namespace.admin, secrets)).toEqual([]);
    for (const colour of ['blue', 'green'] as const) {
      expect(
        await letsIn({ ...before, ...(await other.servers.connection(colour)), password: before.password ?? '' }),
      ).toBe(false);
      // It reads again what it is refused with.
      expect(
        await withOwnSession(await other.servers.connection(colour), 'test', (client) => rows(client, 'SELECT')),
      ).toHaveLength(1);
      expect(await on(colour, (client) => rows(client, 'SELECT'))).toHaveLength(1);
    }
    const [replica] = await other.poolers.required();
    if (!replica) throw new Error('there is a pooler');
    await expect(Console.open({ ...replica.address, user: consoleUser, password: console }, 'test')).rejects.toThrow(
      /authentication failed/,
    );
    expect(await other.poolers.paused(replica)).toEqual([]);
    await onlyShown(other, replica, await looker.traffic.readerStatus());
    await looker.close();
    await other.close();
  });
});
