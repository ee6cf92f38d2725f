import { expect, test } from 'vitest';
import { Traffic } from '../../src/pulumi/components/traffic.ts';
import { parseEnvironment } from '../../src/model/environment.ts';
import { KubernetesPlatform } from '../../src/platform/kubernetes/platform.ts';
import { withClient } from '../../src/postgres/session.ts';
import { withNamespace } from './support/namespace.ts';
import { askRestored } from './support/restored.ts';
import { openStack, small, versions, withStack } from './support/stack.ts';

test('an environment is protected; another stack takes it in; destroyed on purpose it leaves a last snapshot that can be restored', async () => {
  await withNamespace({}, async ({ name: namespace, admin }) => {
    const declaration = small(namespace, 'shop', { kubernetes: { keptSnapshotClass: 'retain' } });
    const platform = new KubernetesPlatform(parseEnvironment(declaration, 'the test'), admin);
    await withStack(async (stack, declare, folder) => {
      declare(declaration);
      await stack.up();
      const superuser = await platform.servers.connection('blue');
      await withClient({ ...superuser, database: 'shop' }, 'test', (client) =>
        client.query('CREATE TABLE kept AS SELECT 42 AS answer'),
      );
      await expect(stack.destroy()).rejects.toThrow(/protected/);
      expect(await platform.servers.observe('blue')).toMatchObject({ running: true });

      // Imported into another stack by its id, and there nothing is left to be done. The resource alone: not every
      // Kubernetes provider of tests can import.
      let taken = true;
      const { live, ...environment } = declaration as { live: 'blue' };
      const other = await openStack(folder, 'other', () => {
        const { state } = new Traffic('shop', { live, environment }, taken ? { import: `${namespace}/shop` } : {});
        return Promise.resolve({ state });
      });
      const before = await versions(admin);
      expect((await other.up()).outputs['state']?.value).toBe('single');
      taken = false;
      expect((await other.up()).summary.resourceChanges).toEqual({ same: 2 });
      const journal = (all: Record<string, string>) => all['ConfigMap shop-journal'];
      expect(journal(await versions(admin))).toBe(journal(before));

      declare(declaration, { onDestroy: 'remove' });
      await stack.up();
      const { stdout } = await stack.destroy();
      const name = /VolumeSnapshot (shop-last-\w+), class retain/.exec(stdout)?.[1] ?? 'not said';
      const left = await versions(admin);
      expect(Object.keys(left)).toEqual([`VolumeSnapshot ${name}`]);

      const as = { ...superuser, database: 'shop' };
      const answer = await askRestored({ name: namespace, admin }, name, as, 'SELECT answer FROM kept');
      expect(answer).toEqual([{ answer: 42 }]);
    });
    await platform.close();
  });
}, 1_800_000);
