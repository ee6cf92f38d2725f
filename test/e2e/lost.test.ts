import { expect, test } from 'vitest';
import { objectNames } from '../../src/manifests/names.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { readRebuilt, writeRebuilt } from '../../src/operations/rebuild.ts';
import { destroyKubernetes } from '../../src/platform/kubernetes/lifecycle/destroy.ts';
import { createKubernetes } from '../../src/platform/kubernetes/lifecycle/create.ts';
import { identityOf, isGone, requireKnown } from '../../src/platform/kubernetes/identity.ts';
import { uidLabel } from '../../src/platform/kubernetes/birth.ts';
import type { Stored } from '../../src/platform/kubernetes/cluster.ts';
import { rows } from '../../src/postgres/client.ts';
import { readEnvironment } from '../../src/postgres/token.ts';
import { withClusterEnvironment } from './support/environment.ts';
import { ours } from './support/stack.ts';

const one = { pooler: { replicas: 1 } };

test('an environment that lost its journal is never made again: it is found by state, volumes and database, and its journal is rebuilt', async () => {
  await withClusterEnvironment({ kubernetes: one }, async (shop) => {
    const { environment, platform, raw, verb, on, namespace } = shop;
    await on('blue', (client) => client.query('CREATE TABLE precious (id int PRIMARY KEY)'));
    await verb('seed');
    const journal = await readJournal(platform.journal);
    const known = await identityOf(platform, journal);

    // Every server and volume bears the uid, and so does the database.
    const held = [
      ...(await namespace.admin.list<Stored>('StatefulSet', ours)),
      ...(await namespace.admin.list<Stored>('PersistentVolumeClaim', ours)),
    ];
    expect(held).toHaveLength(4);
    for (const { metadata } of held) expect(metadata.labels?.[uidLabel]).toBe(journal.uid);
    for (const colour of ['blue', 'green'] as const) expect(await on(colour, readEnvironment)).toBe(journal.uid);

    // Another namespace of the name, or another cluster, is no empty place.
    await expect(requireKnown(platform, { ...known, namespace: 'x' }, '…')).rejects.toMatchObject({
      id: 'other-cluster',
    });
    await expect(requireKnown(platform, { ...known, environment: 'x' }, '…')).rejects.toMatchObject({
      id: 'other-environment',
    });
    await requireKnown(platform, known, '…');

    await namespace.admin.delete('ConfigMap', objectNames.journal('shop'));
    const before = await placed(namespace.admin);
    for (const each of [
      () => createKubernetes(environment, platform, { raw }),
      () => requireKnown(platform, known, '…'),
      () => isGone(platform, known, '…'),
    ])
      await expect(each()).rejects.toMatchObject({ id: 'journal-lost', code: 'refused' });
    expect(await placed(namespace.admin)).toEqual(before);

    await writeRebuilt(
      { environment, platform, emit: () => undefined, signal: new AbortController().signal },
      await readRebuilt(environment, platform),
    );
    expect(await readJournal(platform.journal)).toMatchObject({
      state: 'seeded',
      live: 'blue',
      liveRelease: '1',
      uid: journal.uid,
      generation: 2,
    });
    await requireKnown(platform, known, '…');
    await verb('abandon');
    expect(await on('blue', (client) => rows(client, "SELECT to_regclass('precious') IS NOT NULL AS there"))).toEqual([
      { there: true },
    ]);

    // What a destroy keeps is what was mounted, not the volume with the highest number.
    const mounted = await platform.servers.claimOf('blue');
    const claim = await namespace.admin.read<Stored & { spec: object }>('PersistentVolumeClaim', 'shop-blue-1');
    await namespace.admin.create({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        name: 'shop-blue-9',
        namespace: namespace.name,
        labels: { ...claim?.metadata.labels, 'verdigris.dev/generation': '9' },
      },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
    expect(await destroyKubernetes(environment, platform, 'blue')).toMatchObject([
      { name: `shop-last-${mounted?.slice(0, 8)}` },
    ]);
    expect(await isGone(platform, known, '…')).toBe(true);
  });
});

/** Servers and volumes, by name and version of the object. */
async function placed(admin: Parameters<Parameters<typeof withClusterEnvironment>[1]>[0]['namespace']['admin']) {
  const found = [
    ...(await admin.list<Stored>('StatefulSet', ours)),
    ...(await admin.list<Stored>('PersistentVolumeClaim', ours)),
  ];
  return found.map(({ metadata }) => [metadata.name, metadata.generation]);
}
