import { expect, test } from 'vitest';
import { one } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { passwordClause, passwordFits } from '../../src/postgres/verifier.ts';
import { connectionTo, withDatabase } from '../support/postgres.ts';

test('a password is recognised by what a real server keeps of it', async () => {
  await withDatabase(async (client) => {
    const kept = async (): Promise<string | null> =>
      (
        await one<{ verifier: string | null }>(
          client,
          "SELECT rolpassword AS verifier FROM pg_authid WHERE rolname = 'app'",
        )
      ).verifier;
    await client.query("SET password_encryption = 'scram-sha-256'; CREATE ROLE app LOGIN PASSWORD 'se''crét'");
    expect([passwordFits(await kept(), 'app', "se'crét"), passwordFits(await kept(), 'app', 'secret')]).toEqual([
      true,
      false,
    ]);
    await client.query("SET password_encryption = 'md5'; ALTER ROLE app PASSWORD 'old'");
    expect([passwordFits(await kept(), 'app', 'old'), passwordFits(await kept(), 'other', 'old')]).toEqual([
      true,
      false,
    ]);
    await client.query('ALTER ROLE app PASSWORD NULL');
    expect(passwordFits(await kept(), 'app', '')).toBe(false);
  });
});

test('a verifier made here lets its password in, and no other', async () => {
  await withDatabase(async (client, server) => {
    await client.query(`CREATE ROLE app LOGIN ${passwordClause("se'crét")}`);
    const login = (password: string) =>
      withClient({ ...connectionTo(server, 'test', 'app'), host: '127.0.0.1', password }, 'test', (app) =>
        one(app, 'SELECT current_user::text AS who'),
      );
    expect(await login("se'crét")).toEqual({ who: 'app' });
    await expect(login('secret')).rejects.toMatchObject({ code: '28P01' });
  });
});
