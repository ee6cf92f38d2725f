import { expect, test } from 'vitest';
import { one } from '../../src/postgres/client.ts';
import { passwordFits } from '../../src/postgres/verifier.ts';
import { withDatabase } from '../support/postgres.ts';

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
