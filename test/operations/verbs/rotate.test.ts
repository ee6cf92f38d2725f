import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { withEnvironment } from '../../support/environment.ts';
import { logIn, withHonestClients } from '../../support/honest-client.ts';
import { temporaryFolder } from '../../support/postgres.ts';
import { refused, rotate } from '../../support/rotate.ts';

test('a rotation that is killed anywhere goes on with the login and the password that it had chosen', async () => {
  await withEnvironment({}, async (test) => {
    const { platform } = test;
    for (const step of ['choose', 'login', 'carry', 'admit', 'publish', 'end'])
      for (const status of ['started', 'done']) {
        const { failed } = await withHonestClients(platform, ['shop_app'], async () => {
          await expect(rotate(test, 'shop_app', { dies: `${step} shop_app ${status}` })).rejects.toThrow('killed');
          const chosen = (await platform.credentials.read('shop_app'))?.next;
          // The next one is another rotation, whose login is still in use.
          if (step === 'end' && status === 'done') return;
          expect(await rotate(test, 'shop_app')).toMatchObject(chosen ? { login: chosen.login } : {});
          const now = await platform.credentials.read('shop_app');
          if (chosen) expect(now?.current).toEqual(chosen);
        });
        expect(failed, `${step} ${status}`).toEqual([]);
        // Room for the next one.
        await rotate(test, 'shop_app', { atOnce: true });
      }
  });
});

test('a login that somebody else made is not taken, and a role that is not declared is not rotated', async () => {
  await withEnvironment({}, async (test) => {
    await test.on('blue', (client) => client.query('CREATE ROLE shop_app_1 LOGIN'));
    await expect(rotate(test, 'shop_app')).rejects.toMatchObject({ id: 'login-taken' });
    await expect(rotate(test, 'postgres')).rejects.toMatchObject({ id: 'rotate-unknown' });
  });
});

test('a password that is kept elsewhere is taken from there, by a command too, at the creation and by a rotation', async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'app');
  await writeFile(file, 'first secret\n');
  const passwords = { shop_app: { command: ['cat', file] } };
  await withEnvironment({ declaration: { local: { passwords } } }, async (test) => {
    const first = { login: 'shop_app', password: 'first secret' };
    expect(await logIn(test.platform, first)).toMatchObject({ role: 'shop_app' });
    await expect(rotate(test, 'shop_app')).rejects.toMatchObject({ id: 'password-unchanged' });
    await writeFile(file, 'second secret\n');
    await rotate(test, 'shop_app', { atOnce: true });
    expect(await logIn(test.platform, { ...first, password: 'second secret' })).toMatchObject({ role: 'shop_app' });
    expect(await refused(test, first)).toBe(true);
  });
  await rm(folder, { recursive: true });
});
