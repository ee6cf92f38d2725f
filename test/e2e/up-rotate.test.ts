import { expect, test } from 'vitest';
import { parseEnvironment } from '../../src/model/environment.ts';
import { ownNames } from '../../src/model/own-passwords.ts';
import { KubernetesPlatform } from '../../src/platform/kubernetes/platform.ts';
import { rows } from '../../src/postgres/client.ts';
import { withPooledSession } from '../../src/postgres/session.ts';
import { withNamespace } from './support/namespace.ts';
import { small, withStack } from './support/stack.ts';

test('another credentials.rotation is a change that the preview explains and one update makes', async () => {
  await withNamespace({}, async ({ name: namespace, admin }) => {
    await withStack(async (stack, declare) => {
      const declared = (rotation: string) => small(namespace, 'shop', { credentials: { rotation, maxAge: '90d' } });
      declare(declared('1'));
      await stack.up();
      declare(declared('2'));
      const { stdout, stderr } = await stack.preview({ diff: true });
      expect(`${stdout}${stderr}`).toContain('Every password would be rotated once (credentials.rotation: 2)');
      expect(stdout).toMatch(/rotation *: "1" => "2"/);
      await stack.up();
      const platform = new KubernetesPlatform(parseEnvironment(declared('2'), 'the test'), admin);
      expect(await platform.secrets.login('shop_app')).toMatchObject({ login: 'shop_app_1' });
      for (const name of ownNames) expect((await platform.secrets.own(name)).rotatedAt).toBeDefined();
      const [replica] = await platform.poolers.required();
      if (!replica) throw new Error('there is a pooler');
      const settings = await platform.poolers.client(replica, 'shop_app', 'shop');
      expect(
        await withPooledSession(settings, 'client', (client) => rows(client, 'SELECT current_user AS who')),
      ).toEqual([{ who: 'shop_app' }]);
      await platform.close();
    });
  });
});
