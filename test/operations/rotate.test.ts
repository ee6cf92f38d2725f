import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { withOperator } from '../../src/operations/operator.ts';
import { rotateRole, type Rotated, type RotateOptions } from '../../src/operations/verbs/rotate.ts';
import { rows } from '../../src/postgres/client.ts';
import { withEnvironment, type TestEnvironment } from '../support/environment.ts';
import { logIn, withHonestClients } from '../support/honest-client.ts';
import { temporaryFolder } from '../support/postgres.ts';
import { until } from '../support/until.ts';

const roles = ['shop_app', 'shop_reader'] as const;

/** `dies`: as a process that is killed before or after the event `started` or `done` of a step. */
function rotate(
  { environment, platform }: TestEnvironment,
  role: string,
  { dies, ...options }: Partial<RotateOptions> & { readonly dies?: string } = {},
): Promise<Rotated> {
  return withOperator(
    {
      environment,
      platform,
      signal: new AbortController().signal,
      emit: (event) => {
        if (event.type === 'step' && `${event.step} ${event.status}` === dies) throw new Error('killed');
      },
    },
    'rotate',
    (c) => rotateRole(c, role, { atOnce: false, grace: 3_600_000, ...options }),
  );
}

async function refused(test: TestEnvironment, login: { login: string; password: string }): Promise<boolean> {
  return logIn(test.platform, login).then(
    () => false,
    (error: { code?: string }) => error.code === '28P01',
  );
}

test('roles are rotated beside clients, through a canary, a switchover and a rollback: no login fails, the old ones end, and what was rotated stays so', async () => {
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

test('a rotation that is killed anywhere goes on with the login and the password that it had chosen', async () => {
  await withEnvironment({}, async (test) => {
    const { platform } = test;
    for (const step of ['choose', 'login', 'carry', 'admit', 'publish'])
      for (const status of ['started', 'done']) {
        const { failed } = await withHonestClients(platform, ['shop_app'], async () => {
          await expect(rotate(test, 'shop_app', { dies: `${step} shop_app ${status}` })).rejects.toThrow('killed');
          const chosen = (await platform.credentials.read('shop_app'))?.next;
          // What was published is the end of it, and the next one is another rotation, whose login is still in use.
          if (step === 'publish' && status === 'done') return;
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
