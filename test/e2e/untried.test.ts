import { expect, test } from 'vitest';
import { objectNames } from '../../src/manifests/names.ts';
import type { Kind } from '../../src/manifests/manifest.ts';
import type { Stored } from '../../src/platform/kubernetes/cluster.ts';
import { failure } from '../support/failure.ts';
import { until } from '../support/until.ts';
import type { ClusterEnvironment } from './support/environment.ts';
import { withClusterBench } from './support/faults.ts';

type Spoiled = Stored & {
  readonly data?: Record<string, string>;
  readonly rules?: readonly { verbs: string[]; resources: string[] }[];
};

/** Changes an object as somebody else would, for the length of `use`. */
async function spoiled(
  { namespace: { admin } }: ClusterEnvironment,
  kind: Kind,
  name: string,
  patch: object,
  back: (before: Spoiled) => object,
  use: () => Promise<void>,
): Promise<void> {
  const before = await admin.read<Spoiled>(kind, name);
  if (!before) throw new Error(`there is no ${kind} ${name}`);
  await admin.merge(kind, name, patch);
  try {
    await use();
  } finally {
    await admin.merge(kind, name, back(before));
  }
}

const password = Buffer.from('edited-by-hand').toString('base64');

test('whatever is used behind the commit point and fails ends the switchover before anybody is held, and is named', async () => {
  await withClusterBench({ guard: true, kubernetes: { pooler: { replicas: 2 } } }, async (bench) => {
    const { verb, platform, events, namespace, operators, journal, recover } = bench;
    for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
    const refused = async (...named: RegExp[]): Promise<void> => {
      events.length = 0;
      const error = await failure(verb('switch'));
      expect(error).toMatchObject({ id: 'gate-refused' });
      for (const name of named) expect(error.message).toMatch(name);
      expect(JSON.stringify(events)).not.toContain('"step":"hold"');
      expect(await journal()).toMatchObject({ state: 'verified', operation: null });
    };
    const secret = (name: string, key: string, use: () => Promise<void>) =>
      spoiled(bench, 'Secret', name, { data: { [key]: password } }, ({ data }) => ({ data }), use);

    const [role, operator] = [objectNames.roleSecret('shop', 'shop_reader'), objectNames.operatorSecret('shop')];
    await secret(role, 'password', () => refused(new RegExp(role), /kubectl .*get secret shop-pooler/));
    await secret(operator, 'console-password', () =>
      refused(/shop-operator, key console-password/, /guard in shop-pooler-/),
    );
    await secret(operator, 'replication-password', () => refused(/shop-operator, key replication-password/));
    await spoiled(
      bench,
      'Role',
      objectNames.guard('shop'),
      { rules: [] },
      ({ rules }) => ({ rules }),
      () => refused(/guard-silent/, /shop-pooler-/),
    );
    await spoiled(
      bench,
      'Service',
      'shop-ro',
      { metadata: { annotations: { 'verdigris.dev/token': '9999' } } },
      () => ({ metadata: { annotations: { 'verdigris.dev/token': '0' } } }),
      () => refused(/Service .*\/shop-ro: its token is 9999/),
    );
    // One guard's rights alone: what the operator may do proves nothing for it.
    await spoiled(
      bench,
      'Role',
      objectNames.guard('shop'),
      {
        rules: (await namespace.admin.read<Spoiled>('Role', objectNames.guard('shop')))?.rules?.map((rule) => ({
          ...rule,
          verbs: rule.verbs.filter((each) => each !== 'update'),
        })),
      },
      ({ rules }) => ({ rules }),
      () => refused(/guard-cut-off/, /may not update services shop-rw/),
    );
    // Killed once the routes have moved, and nobody can take the lease: each guard lets its own pooler's clients go.
    expect(await operators.run('switch', { dieAfter: 'route' })).toEqual({ how: 'killed' });
    const rights = await namespace.admin.read<Spoiled>('Role', objectNames.guard('shop'));
    await spoiled(
      bench,
      'Role',
      objectNames.guard('shop'),
      { rules: rights?.rules?.filter(({ resources }) => !resources.includes('leases')) },
      ({ rules }) => ({ rules }),
      async () => {
        await until('clients let go', async () => (await platform.traffic.status()).held === undefined, 30_000);
        expect(await journal()).toMatchObject({ live: 'green', operation: { phase: 'complete' } });
      },
    );
    // Whatever the guards do meanwhile, a person is not refused.
    await recover();
    expect(await journal()).toMatchObject({ live: 'green', operation: null });
  });
});
