import { expect, test } from 'vitest';
import { rows } from '../../../src/postgres/client.ts';
import { withEnvironment } from '../../support/environment.ts';
import { logIn, withHonestClients } from '../../support/honest-client.ts';
import { refused, rotate } from '../../support/rotate.ts';
import { until } from '../../support/until.ts';

const roles = ['shop_app', 'shop_reader'] as const;

test('roles are rotated beside clients, through canary, switchover and rollback: no login fails, and what was rotated stays so', async () => {
  await withEnvironment({}, async (test) => {
    const { platform, verb, on, credentials } = test;
    const original = { login: 'shop_app', password: credentials['shop_app'] ?? '' };
    const { failed, logins } = await withHonestClients(platform, roles, async () => {
      expect(await rotate(test, 'shop_app')).toMatchObject({ login: 'shop_app_1', before: { login: 'shop_app' } });
      for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
      await verb('canary', { canary: 50 });
      await rotate(test, 'shop_reader');
      expect(
        await on('green', (client) =>
          rows(client, "SELECT FROM pg_roles WHERE rolname = 'shop_reader_1' AND rolcanlogin"),
        ),
      ).toHaveLength(1);
      expect(await logIn(platform, original)).toEqual({ login: 'shop_app', role: 'shop_app' });
      await verb('switch');
      await rotate(test, 'shop_app');
      await verb('rollback');
    });
    expect(failed).toEqual([]);
    expect(logins).toBeGreaterThan(50);
    // Of a login whose turn is over nothing is left to log in with, on either colour.
    expect(await refused(test, original)).toBe(true);
    const known = await platform.credentials.read('shop_app');
    expect(known).toMatchObject({ current: { login: 'shop_app_2' }, before: { login: 'shop_app_1' } });
    expect(await logIn(platform, known?.current ?? original)).toEqual({ login: 'shop_app_2', role: 'shop_app' });
    await expect(rotate(test, 'shop_app')).rejects.toMatchObject({ id: 'grace-not-over' });

    // At once: the login stays, and nobody else is let in.
    await rotate(test, 'shop_app', { atOnce: true });
    for (const old of [known?.current, known?.before]) expect(await refused(test, old ?? original)).toBe(true);
    // The server itself ends a grace period.
    const before = await platform.credentials.read('shop_app');
    await rotate(test, 'shop_app', { grace: 300 });
    await until('the old login is refused', () => refused(test, before?.current ?? original));
  });
});
