import { expect, test } from 'vitest';
import { withEnvironment } from '../support/environment.ts';

test('a role made on the live colour after seeding stops verification until it is brought in line; made after that it is carried', async () => {
  await withEnvironment({}, async ({ verb, on }) => {
    await verb('seed');
    await verb('migrate');
    await on('blue', (client) => client.query("CREATE ROLE late LOGIN PASSWORD 'x'; GRANT shop_app TO late"));
    await expect(verb('verify')).rejects.toMatchObject({ id: 'data-differs', seen: expect.stringContaining('role') });
    await verb('verify', { applyGlobals: true });
    await on('blue', (client) => client.query('CREATE ROLE later LOGIN'));
    const logins = () =>
      on('green', (client) =>
        client.query("SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname IN ('late', 'later') ORDER BY rolname"),
      );
    expect((await logins()).rows).toEqual([{ rolname: 'late', rolcanlogin: false }]);
    await verb('switch');
    const { rows } = await logins();
    expect(rows).toEqual([
      { rolname: 'late', rolcanlogin: true },
      { rolname: 'later', rolcanlogin: true },
    ]);
  });
});
