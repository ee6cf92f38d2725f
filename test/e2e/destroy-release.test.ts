import { expect, test } from 'vitest';
import { parseEnvironment } from '../../src/model/environment.ts';
import { KubernetesPlatform } from '../../src/platform/kubernetes/platform.ts';
import { withClient } from '../../src/postgres/session.ts';
import { withNamespace } from './support/namespace.ts';
import { askRestored } from './support/restored.ts';
import { prepared, small, versions, withStack } from './support/stack.ts';

test('a destroy in the middle of a release leaves one snapshot, and a server that is no publisher starts from it', async () => {
  await withNamespace({}, async ({ name: namespace, admin }) => {
    const declaration = small(namespace, 'shop', { colours: prepared });
    const platform = new KubernetesPlatform(parseEnvironment(declaration, 'the test'), admin);
    await withStack(async (stack, declare) => {
      declare(small(namespace, 'shop'));
      await stack.up();
      const superuser = await platform.servers.connection('blue');
      await withClient({ ...superuser, database: 'shop' }, 'test', (client) =>
        client.query('CREATE TABLE kept (answer int PRIMARY KEY); INSERT INTO kept VALUES (42)'),
      );
      declare(declaration, { onDestroy: 'remove' });
      expect((await stack.up()).outputs['state']?.value).toBe('verified');
      await stack.destroy();
      const left = Object.keys(await versions(admin));
      expect(left).toEqual([expect.stringMatching(/^VolumeSnapshot shop-last-\w+$/)]);
      const snapshot = left[0]?.replace('VolumeSnapshot ', '') ?? '';
      const as = { ...superuser, database: 'shop' };
      const answer = await askRestored({ name: namespace, admin }, snapshot, as, 'SELECT answer FROM kept');
      expect(answer).toEqual([{ answer: 42 }]);
    });
    await platform.close();
  });
}, 1_800_000);
