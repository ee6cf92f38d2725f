import { expect, test } from 'vitest';
import { rows } from '../../src/postgres/client.ts';
import { withEnvironment } from '../support/environment.ts';

test('verify carries what changed of roles and settings on the live colour, and stops where they differ for another reason', async () => {
  const fill = async (client: { query(text: string): Promise<unknown> }) =>
    void (await client.query("ALTER DATABASE shop SET statement_timeout = '1h'"));
  await withEnvironment({ fill }, async ({ verb, on }) => {
    await verb('seed');
    await verb('migrate');
    await on('blue', (client) => client.query("CREATE ROLE late LOGIN PASSWORD 'x'; GRANT shop_app TO late"));
    await verb('verify');
    const logins = () =>
      on('green', (client) =>
        rows(client, "SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname IN ('late', 'later') ORDER BY rolname"),
      );
    expect(await logins()).toEqual([{ rolname: 'late', rolcanlogin: false }]);
    await on('green', (client) => client.query('ALTER ROLE late CONNECTION LIMIT 3'));
    await expect(verb('verify')).rejects.toMatchObject({ id: 'data-differs', seen: expect.stringContaining('role') });
    await verb('verify', { applyGlobals: true });
    await on('blue', (client) => client.query('CREATE ROLE later LOGIN'));
    await verb('switch');
    expect(await logins()).toEqual([
      { rolname: 'late', rolcanlogin: true },
      { rolname: 'later', rolcanlogin: true },
    ]);
    await verb('rollback');
    await on('blue', (client) =>
      client.query('ALTER DATABASE shop RESET statement_timeout; ALTER DATABASE shop IS_TEMPLATE true; DROP ROLE late'),
    );
    await verb('verify');
    const kept = await on('green', (client) =>
      rows(
        client,
        `SELECT datistemplate, (SELECT count(*)::int FROM pg_db_role_setting s WHERE s.setdatabase = d.oid AND setrole = 0
          AND setconfig::text ~ 'statement_timeout') AS settings, (SELECT count(*)::int FROM pg_roles WHERE rolname = 'late') AS roles
        FROM pg_database d WHERE datname = 'shop'`,
      ),
    );
    expect(kept).toEqual([{ datistemplate: true, settings: 0, roles: 0 }]);
  });
});
