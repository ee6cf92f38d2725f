import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Environment, type EnvironmentArgs } from '../../src/pulumi/components/environment.ts';
import { Traffic } from '../../src/pulumi/components/traffic.ts';
import { openStack, small, withBackend } from './support/stack.ts';

const pack = fileURLToPath(new URL('../../policies', import.meta.url));

/** Mandatory rules that the engine says are broken, at preview. Nothing of it exists, and nothing is made. */
async function violated(program: () => void): Promise<string[]> {
  let found: string[] = [];
  await withBackend(async (folder) => {
    const stack = await openStack(folder, 'dev', () => Promise.resolve(program()));
    const broken = new Set<string>();
    await stack
      .preview({
        policyPacks: [pack],
        onEvent: ({ policyEvent }) =>
          void (policyEvent?.enforcementLevel === 'mandatory' && broken.add(policyEvent.policyName)),
      })
      .catch((error: unknown) => {
        if (broken.size === 0) throw error;
      });
    found = [...broken].sort();
  });
  return found;
}

const good = (over: Record<string, unknown> = {}, kubernetes: Record<string, unknown> = {}) =>
  small('default', 'shop', {
    limits: { retainedWal: '256MiB' },
    ...over,
    kubernetes: { keptSnapshotClass: 'retain', pooler: { replicas: 2 }, ...kubernetes },
  });
const environment =
  (declaration: Record<string, unknown>, more: Partial<EnvironmentArgs> = {}) =>
  () =>
    void new Environment('shop', { declaration, ...more });

test('the policy pack passes a good declaration, and refuses each kind of bad one at preview', async () => {
  expect(await violated(environment(good()))).toEqual([]);
  expect(
    await violated(
      environment(
        good(
          {},
          {
            pooler: { replicas: 1 },
            keptSnapshotClass: undefined,
            settings: { primary_conninfo: 'host=a password=b' },
          },
        ),
      ),
    ),
  ).toEqual(['kept-snapshot', 'no-plain-secret', 'pooler-replicas']);
  expect(await violated(environment(good({ limits: { retainedWal: '900MiB' } })))).toEqual(['bounded-wal']);
  const { live, ...rest } = good() as { live: 'blue' };
  expect(await violated(() => void new Traffic('shop', { live, environment: rest }))).toEqual([
    'network-policy-present',
    'protected-data',
  ]);
});
