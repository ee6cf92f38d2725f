import { expect, test } from 'vitest';
import { parseEnvironment } from '../../src/model/environment.ts';
import { Cluster, type Stored } from '../../src/platform/kubernetes/cluster.ts';
import { KubernetesPlatform } from '../../src/platform/kubernetes/platform.ts';
import { withNamespace } from './support/namespace.ts';

function declared(namespace: string) {
  return parseEnvironment(
    {
      name: 'shop',
      platform: 'kubernetes',
      database: 'shop',
      roles: { application: ['app'] },
      colours: { blue: { release: '1', postgres: 15 } },
      live: 'blue',
      kubernetes: { namespace, images: { pooler: 'any:1' } },
    },
    'the test',
  );
}

async function withPlatforms(
  use: (one: KubernetesPlatform, two: KubernetesPlatform, admin: Cluster) => Promise<void>,
): Promise<void> {
  await withNamespace({}, async ({ name, operator, admin }) => {
    const platforms = [1, 2].map(() => new KubernetesPlatform(declared(name), Cluster.of(operator, name))) as [
      KubernetesPlatform,
      KubernetesPlatform,
    ];
    try {
      await use(...platforms, admin);
    } finally {
      for (const platform of platforms) await platform.close();
    }
  });
}

test('of many who write the same revision of the journal one succeeds, and the others are told', async () => {
  await withPlatforms(async (one, two) => {
    expect(await one.journal.read()).toBeUndefined();
    expect(await one.journal.write(0, 'a')).toBe(1);
    await expect(two.journal.write(0, 'b')).rejects.toMatchObject({ code: 'busy', id: 'journal-conflict' });
    for (let revision = 1; revision <= 5; revision++) {
      const outcomes = await Promise.allSettled(
        [one, two, one, two].map((platform, index) => platform.journal.write(revision, `${revision} by ${index}`)),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ id: 'journal-conflict' });
      const winner = outcomes.findIndex(({ status }) => status === 'fulfilled');
      expect(await two.journal.read()).toMatchObject({ revision: revision + 1, text: `${revision} by ${winner}` });
    }
  });
});

test('one operator at a time: the second is told who works, a dead one is waited out, and tokens only grow', async () => {
  await withPlatforms(async (one, two, admin) => {
    const first = await one.leases.acquire('first');
    const renewing = setInterval(() => void first.renew(), 1_000);
    await expect(two.leases.acquire('second')).rejects.toMatchObject({
      code: 'busy',
      id: 'lease-held',
      facts: { holder: 'first' },
    });
    expect(await two.leases.holder()).toMatchObject({ holder: 'first' });
    clearInterval(renewing);
    const began = Date.now();
    const second = await two.leases.acquire('second');
    expect(Date.now() - began).toBeLessThan(12_000);
    expect(second.token).toBeGreaterThan(first.token);
    expect(await first.renew()).toBe(false);
    await first.release();
    expect(await one.leases.holder()).toMatchObject({ holder: 'second' });
    await Promise.all([second.renew(), second.release()]);
    expect(await one.leases.holder()).toBeUndefined();
    // Somebody deletes the Lease: the journal remembers under which token it was written.
    await one.journal.write(0, JSON.stringify({ journal: { token: 41 } }));
    await admin.delete('Lease', 'shop-operator');
    expect((await one.leases.acquire('third')).token).toBe(42);
  });
});

test('a finished release is written to the history once, however often it is said', async () => {
  await withPlatforms(async (one, two) => {
    const entry = (startedAt: string) => ({
      from: '1',
      to: '2',
      outcome: 'released' as const,
      startedAt,
      endedAt: startedAt,
      spans: [],
    });
    await one.history.append(entry('2026-01-02T00:00:00.000Z'));
    await two.history.append(entry('2026-01-02T00:00:00.000Z'));
    await two.history.append(entry('2026-01-01T00:00:00.000Z'));
    expect((await one.history.list()).map(({ startedAt }) => startedAt)).toEqual([
      '2026-01-01T00:00:00.000Z',
      '2026-01-02T00:00:00.000Z',
    ]);
  });
});

test('routes are swapped as they were read beforehand: one changed since is read again, and whoever has an older token changes nothing', async () => {
  await withPlatforms(async (one, two, admin) => {
    await one.routes.establish({ live: 'blue', canary: 0, token: 1 });
    const selector = async (name: string) =>
      (await admin.read<Stored & { spec: { selector: Record<string, string> } }>('Service', name))?.spec.selector[
        'verdigris.dev/colour'
      ];
    await one.routes.foresee();
    // Somebody's tool writes a label meanwhile, and a selector by hand.
    await admin.merge('Service', 'shop-rw', { metadata: { labels: { tool: 'yes' } } });
    await admin.merge('Service', 'shop-ro', { spec: { selector: { 'verdigris.dev/colour': 'nobody' } } });
    await one.routes.move({ live: 'green', canary: 0, token: 2 });
    expect([await selector('shop-rw'), await selector('shop-ro')]).toEqual(['green', 'green']);
    expect((await admin.read<Stored>('Service', 'shop-rw'))?.metadata.labels).toMatchObject({ tool: 'yes' });

    await one.routes.foresee();
    await two.routes.move({ live: 'blue', canary: 0, token: 3 });
    await expect(one.routes.move({ live: 'green', canary: 0, token: 2 })).rejects.toMatchObject({
      code: 'busy',
      id: 'stale-token',
    });
    expect([await selector('shop-rw'), await selector('shop-ro')]).toEqual(['blue', 'blue']);
    // One that is gone is made again.
    await admin.delete('Service', 'shop-ro');
    await two.routes.move({ live: 'green', canary: 0, token: 3 });
    expect([await selector('shop-rw'), await selector('shop-ro')]).toEqual(['green', 'green']);
    expect(await two.routes.current()).toMatchObject({ live: 'green', token: 3, selector: 'green' });
  });
});
