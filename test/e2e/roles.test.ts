import { expect, test } from 'vitest';
import { parseEnvironment } from '../../src/model/environment.ts';
import { KubernetesPlatform } from '../../src/platform/kubernetes/platform.ts';
import { type Client, rows } from '../../src/postgres/client.ts';
import { withClient, withPooledSession } from '../../src/postgres/session.ts';
import { withNamespace } from './support/namespace.ts';
import { prepared, small, withStack } from './support/stack.ts';

test('a role that is declared later is made with its Secret and rights, and the next candidate has it; in a release it is refused', async () => {
  await withNamespace({}, async ({ name: namespace, admin }) => {
    await withStack(async (stack, declare) => {
      const declared = (
        application: readonly string[],
        readers: readonly string[],
        over: Record<string, unknown> = {},
      ) => small(namespace, 'shop', { roles: { application, readers }, ...over });
      const platform = new KubernetesPlatform(parseEnvironment(declared(['shop_app'], []), 'the test'), admin);
      declare(declared(['shop_app'], []));
      await stack.up();
      await withClient({ ...(await platform.servers.connection('blue')), database: 'shop' }, 'test', (client) =>
        client.query('CREATE TABLE item (id int PRIMARY KEY); GRANT ALL ON item TO shop_app'),
      );
      const known = await platform.secrets.role('shop_app');

      // With the candidate's declaration they are there before the copy is made. What the poolers need takes a Secret's
      // way to the pods.
      declare(declared(['shop_app', 'shop_batch'], ['shop_report'], { colours: prepared }));
      await stack.up();
      expect((await stack.outputs())['state']?.value).toBe('verified');
      // A candidate's roles are closed until its switchover.
      const there = (colour: 'blue' | 'green') =>
        platform.servers
          .connection(colour)
          .then((connection) =>
            withClient(connection, 'test', (client) =>
              rows<{ name: string }>(
                client,
                "SELECT rolname AS name FROM pg_roles WHERE rolname ^@ 'shop_' ORDER BY rolname",
              ),
            ),
          );
      for (const colour of ['blue', 'green'] as const)
        expect((await there(colour)).map(({ name }) => name)).toEqual(['shop_app', 'shop_batch', 'shop_report']);
      // Through the pooler, by what the Secrets say, with the rights of their kind; the other role's password is what
      // it was.
      const [replica] = await platform.poolers.required();
      const as = async <T>(role: string, use: (client: Client) => Promise<T>): Promise<T> =>
        withPooledSession(
          await platform.poolers.client(replica as NonNullable<typeof replica>, role, 'shop'),
          'test',
          use,
        );
      await as('shop_batch', (client) => client.query('INSERT INTO item VALUES (1)'));
      expect(await as('shop_report', (client) => rows(client, 'SELECT id FROM item'))).toEqual([{ id: 1 }]);
      await expect(as('shop_report', (client) => client.query('INSERT INTO item VALUES (2)'))).rejects.toMatchObject({
        code: '42501',
      });
      expect(await platform.secrets.role('shop_app')).toBe(known);

      declare(declared(['shop_app', 'shop_batch', 'shop_later'], ['shop_report'], { colours: prepared }));
      await expect(stack.up()).rejects.toThrow(
        /shop_later is declared and not there, and a release is under way \(verified\)/,
      );
      await platform.close();
    });
  });
});

test('a password changed in database and Secret is taken by the poolers; one changed in the Secret alone is refused by name', async () => {
  await withNamespace({}, async ({ name: namespace, admin }) => {
    await withStack(async (stack, declare) => {
      const declared = small(namespace, 'shop');
      declare(declared);
      await stack.up();
      const secret = 'shop-role-shop-app-cb7f04';
      await admin.merge('Secret', secret, { stringData: { password: 'rotated' } });
      await expect(stack.up({ refresh: true })).rejects.toThrow(
        `The Secret ${secret} has another password than the role shop_app on the live colour.`,
      );
      const platform = new KubernetesPlatform(parseEnvironment(declared, 'the test'), admin);
      await withClient(await platform.servers.connection('blue'), 'test', (client) =>
        client.query("ALTER ROLE shop_app PASSWORD 'rotated'"),
      );
      await stack.up({ refresh: true });
      const [replica] = await platform.poolers.required();
      if (!replica) throw new Error('there is a pooler');
      expect(
        await withPooledSession(await platform.poolers.client(replica, 'shop_app', 'shop'), 'test', (client) =>
          rows(client, 'SELECT current_user AS who'),
        ),
      ).toEqual([{ who: 'shop_app' }]);
      await platform.close();
    });
  });
});
