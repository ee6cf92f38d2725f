import { expect, test } from 'vitest';
import { approve } from '../../src/delivery/persons.ts';
import { parseEnvironment } from '../../src/model/environment.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { KubernetesPlatform } from '../../src/platform/kubernetes/platform.ts';
import { until } from '../support/until.ts';
import { productImage } from './support/image.ts';
import { withNamespace, type TestNamespace } from './support/namespace.ts';
import { prepared, small, trafficState, withStack } from './support/stack.ts';
import { pooler } from './support/declaration.ts';

const walk = { steps: ['seed', 'migrate', 'verify', 'approve', 'switch', 'retire after 5s'] };

/** Milliseconds for a release of a small environment, on a machine whose two cores others use too. */
const limit = 600_000;

/** The environment as it is declared for its second release, and whoever approves that. */
function declares({ name, admin }: TestNamespace, delivery: object, kubernetes: object) {
  const next = small(name, 'shop', { colours: prepared, live: 'green', delivery, kubernetes });
  const environment = parseEnvironment(next, 'the test');
  const platform = new KubernetesPlatform(environment, admin);
  const parts = { environment, platform, emit: () => undefined, signal: new AbortController().signal };
  return { next, platform, approved: async () => approve(parts, { by: 'ann' }) };
}

test('a release with declared steps: each up walks as far as nothing is waited for, though nothing else is declared since', async () => {
  await withNamespace({}, async (namespace) => {
    const { next, platform, approved } = declares(namespace, walk, {});
    await withStack(async (stack, declare) => {
      declare(small(namespace.name, 'shop'));
      await stack.up();
      declare(next);
      const first = (await stack.preview()).stdout;
      expect(first).toContain('The release walks by itself: seed, migrate, verify, approve, switch, retire after 5s.');
      expect(first).toContain('Now, at "seed"');
      // On a busy machine the gate may not answer in time: then it says so.
      expect(first).toMatch(
        /Nothing blocks seed now\.|Whether seed is blocked is not known: it did not answer within 20 s/,
      );

      // It holds no stack's lock while it waits, and whoever runs it in vain moves nothing.
      for (const _ of ['first', 'again']) {
        const waiting = await stack.up();
        expect(waiting.outputs).toMatchObject({ state: { value: 'verified' }, live: { value: 'blue' } });
        expect(await trafficState(stack)).toMatchObject({ walking: 'waits for `verdigris approve`' });
      }
      expect((await stack.preview()).stdout).toContain('Now, at "approve": waits for `verdigris approve`.');
      await approved();
      const moved = await stack.up();
      expect(moved.outputs).toMatchObject({ live: { value: 'green' }, release: { value: '2' } });
      await until('the end of the release', async () => (await stack.up()).outputs['state']?.value === 'single', limit);
      expect(await readJournal(platform.journal)).toMatchObject({
        state: 'single',
        live: 'green',
        operation: null,
        delivery: { ended: { outcome: 'released' }, approvals: [{ by: 'ann' }] },
      });
      expect(await trafficState(stack)).not.toHaveProperty('walking');
      expect((await stack.up()).summary.resourceChanges).toEqual({ same: 6 });
    });
    await platform.close();
  });
}, 1_800_000);

test('with the controller, up hands the release over and ends; the Deployment walks it to its end', async () => {
  const image = await productImage();
  const images = { pooler, verdigris: image };
  await withNamespace({}, async (namespace) => {
    const controller = { ...walk, controller: true };
    const { next, platform, approved } = declares(namespace, controller, { images });
    await withStack(async (stack, declare) => {
      declare(small(namespace.name, 'shop', { kubernetes: { images } }));
      await stack.up();
      declare(next);
      expect((await stack.preview()).stdout).toContain('The controller in the cluster walks it.');
      await stack.up();
      expect(await trafficState(stack)).not.toHaveProperty('walking');
      const delivery = async () => (await readJournal(platform.journal)).delivery;
      await until(
        'the controller at the approval',
        async () => (await delivery())?.waits === 'waits for `verdigris approve`',
        limit,
      );
      // Another update meanwhile neither waits nor takes over.
      await stack.up();
      expect((await delivery())?.taken).toBeUndefined();
      await approved();
      await until('the end of the release', async () => (await delivery())?.ended?.outcome === 'released', limit);
      const after = await stack.up();
      expect(after.outputs).toMatchObject({ live: { value: 'green' }, release: { value: '2' } });
      expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', live: 'green', operation: null });
    });
    await platform.close();
  });
}, 1_800_000);
