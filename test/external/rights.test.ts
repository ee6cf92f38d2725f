import { expect, test } from 'vitest';
import { operatorRole } from '../../src/model/names.ts';
import { rows } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { grantsAskedFor, refusalOf, withManagedShop } from '../support/managed-server.ts';

/** What takes a right away, and the statement that `create` must then ask for; by it the right is there again. */
const rights: readonly (readonly [taken: string, asked: string])[] = [
  [`ALTER ROLE ${operatorRole} NOCREATEROLE`, `ALTER ROLE "${operatorRole}" CREATEROLE;`],
  [`ALTER ROLE ${operatorRole} NOREPLICATION`, `ALTER ROLE "${operatorRole}" REPLICATION;`],
  ...['pg_monitor', 'pg_signal_backend', 'pg_checkpoint', 'pg_create_subscription'].map(
    (role) => [`REVOKE ${role} FROM ${operatorRole}`, `GRANT ${role} TO "${operatorRole}";`] as const,
  ),
  [`REVOKE shop_owner FROM ${operatorRole}`, `GRANT "shop_owner" TO "${operatorRole}";`],
];

test('without a superuser: a role that lacks one single right is refused with the statement that gives it, and nothing is made', async () => {
  await withManagedShop(async (declaration, here) => {
    await here.ask((await grantsAskedFor(declaration)) ?? [], 'shop');
    for (const [taken, asked] of rights) {
      await here.ask([taken], 'shop');
      const grants = (await grantsAskedFor(declaration)) ?? [];
      expect(grants, taken).toContain(asked);
      await here.ask(grants, 'shop');
    }
    expect(await grantsAskedFor(declaration)).toBeUndefined();
  });
});

test.each([12, 13, 14, 15])(
  'a live server of PostgreSQL %i without a superuser is refused by what no grant gives there, and nothing is made',
  async (major) => {
    await withManagedShop(async (declaration, here) => {
      const refused = await refusalOf(declaration);
      expect(refused?.facts?.['problems']).toContainEqual(
        expect.stringMatching(/may not make a subscription: .*; no grant gives it, so name a superuser/),
      );
      const made = await withClient({ ...here.superuser, database: 'shop' }, 'test', (client) =>
        rows(client, "SELECT FROM pg_namespace WHERE nspname = 'verdigris'"),
      );
      expect(made).toEqual([]);
    }, major);
  },
);
