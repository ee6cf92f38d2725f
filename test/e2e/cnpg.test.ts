import { beforeAll, expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { leftovers, nothing } from '../support/leftovers.ts';
import { rows } from '../../src/postgres/client.ts';
import { TestClient } from '../support/router.ts';
import { until } from '../support/until.ts';
import { hostAndPort } from '../../src/model/address.ts';
import { clusterOf, operatorUp, withCnpg } from './support/cnpg.ts';

beforeAll(operatorUp, 300_000);

test('a release goes from one Cluster of CloudNativePG to another, back, forward and is accepted, under load: nothing is lost or left', async () => {
  await withCnpg(async ({ verb, load, platform, on }) => {
    const { verdict } = await load(60, async (workload) => {
      for (const each of ['seed', 'migrate', 'verify', 'switch', 'rollback', 'verify', 'switch'] as const) {
        await verb(each);
        const { acknowledged } = workload.stats();
        await workload.until((stats) => stats.acknowledged > acknowledged + 100, 60_000);
      }
      await verb('retire');
    });
    console.log(`pauses as the clients saw them, in ms: ${verdict.pauses.map(({ ms }) => ms).join(', ')}`);
    expect(verdict).toMatchObject({ ok: true, lost: { count: 0 }, doubled: { count: 0 }, wrongColour: { count: 0 } });
    expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', live: 'green', release: null });
    // Slots that the operator makes for its standbys are not of Verdigris.
    const { slots, ...left } = await leftovers(platform, 'green', on);
    expect(slots).toEqual([{ slot_name: expect.stringMatching(/^_cnpg_/) as unknown }]);
    expect(left).toEqual((({ slots: _, ...rest }) => rest)(nothing));
  });
});

/** Which instances serve these readers: the Cluster, and whether it is a standby. */
async function seenBy(readers: readonly TestClient[]): Promise<string[]> {
  const each = readers.map(async (client) => {
    const [named] = await rows<{ cluster_name: string }>(client, 'SHOW cluster_name');
    const [standby] = await rows<{ in_hot_standby: string }>(client, 'SHOW in_hot_standby');
    return `${named?.cluster_name} ${standby?.in_hot_standby === 'on' ? 'standby' : 'primary'}`;
  });
  return [...new Set(await Promise.all(each))].sort();
}

test('behind the router a canary reads from standbys of both Clusters, from a primary while its standby is gone, and a switchover ends that', async () => {
  await withCnpg(
    async ({ verb, load, platform, credentials, admin, healthy }) => {
      const { verdict } = await load(40, async (workload) => {
        const { address } = await platform.traffic.status();
        const settings = {
          ...hostAndPort(address),
          user: 'shop_reader',
          password: credentials['shop_reader'],
          database: 'shop',
        };
        const readers = Array.from({ length: 8 }, () => new TestClient(settings));
        await Promise.all(readers.map((client) => client.connect()));
        const seen = (...expected: string[]) =>
          until(
            `readers on ${expected.join(' and ')}`,
            async () => (await seenBy(readers)).join() === expected.join(),
            60_000,
          );
        const [blue, green] = [clusterOf('blue'), clusterOf('green')];
        for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
        expect(await seenBy(readers)).toEqual([`${blue} primary`]);
        await verb('canary', { canary: 50 });
        await seen(`${blue} standby`, `${green} standby`);
        const { acknowledged } = workload.stats();
        await workload.until((stats) => stats.acknowledged > acknowledged + 100, 60_000);

        const labels = { 'cnpg.io/cluster': green, 'cnpg.io/instanceRole': 'replica' };
        const [pod] = await admin.list('Pod', labels);
        await admin.delete('Pod', pod?.metadata.name ?? '', { grace: 0 });
        await seen(`${blue} standby`, `${green} primary`);
        await healthy('green');
        await verb('canary', { canary: 40 });
        await seen(`${blue} standby`, `${green} standby`);

        await verb('switch');
        await seen(`${green} primary`);
        await workload.until((stats) => stats.acknowledged > acknowledged + 300, 60_000);
        expect(readers.flatMap(({ errors }) => errors)).toEqual([]);
        await Promise.all(readers.map((client) => client.end()));
      });
      expect(verdict).toMatchObject({ ok: true, lost: { count: 0 }, doubled: { count: 0 }, wrongColour: { count: 0 } });
      expect(await readJournal(platform.journal)).toMatchObject({ state: 'switched', live: 'green' });
    },
    { router: true, server: { canaryReads: 'standbys' } },
  );
});
