import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { quietSettings } from '../../src/model/quiet-settings.ts';
import { serverAccount } from '../../src/platform/local/account.ts';
import { makeOperator, setOperatorPassword, setReplicationPassword } from '../../src/postgres/own-logins.ts';
import { withOwnSession } from '../../src/postgres/session.ts';
import { changeSource, ensureReplicationRole } from '../../src/postgres/stream/source.ts';
import { withExternalServer } from '../support/external.ts';
import { testMajor } from '../support/postgres.ts';
import { logged, verifiersOf } from '../support/secret-watch.ts';

test.each([12, testMajor])(
  "on a server of %i that writes every statement down, Verdigris's roles get passwords of which its log says nothing",
  async (major) => {
    await withExternalServer(
      major,
      async ({ superuser, log }) => {
        const verifiers = await withOwnSession(superuser, 'operator', async (client) => {
          const found: string[] = [];
          const after = async (step: Promise<void>): Promise<void> => {
            await step;
            found.push(...(await verifiersOf(client)));
          };
          await after(makeOperator(client, 'first'));
          await after(makeOperator(client, 'again'));
          await after(ensureReplicationRole(client, 'theirs'));
          await after(ensureReplicationRole(client, 'theirs again'));
          await after(setOperatorPassword(client, 'rotated'));
          await after(setReplicationPassword(client, 'rotated too'));
          return new Set(found);
        });
        const text = await readFile(log, 'utf8');
        expect(text).toContain('FROM pg_authid');
        expect(verifiers.size).toBeGreaterThanOrEqual(7);
        expect(text).not.toMatch(/SCRAM-SHA-256\$/);
      },
      logged,
    );
  },
);

test('nor of the password by which a subscription connects, also where it is asked whether it does so already', async () => {
  await withExternalServer(
    testMajor,
    async ({ superuser, log }) => {
      await withOwnSession(superuser, 'operator', async (client) => {
        await client.query(
          "CREATE SUBSCRIPTION there CONNECTION '' PUBLICATION none WITH (connect = false, slot_name = NONE)",
        );
        const lead = (password: string) => changeSource(client, 'there', `host=/nowhere password=${password}`, 'shop');
        expect([await lead('their-first'), await lead('their-first'), await lead('their-next')]).toEqual([
          true,
          false,
          true,
        ]);
      });
      const text = await readFile(log, 'utf8');
      expect(text).toContain('FROM pg_subscription');
      expect(text).not.toContain('their-');
    },
    logged,
  );
});

test('nor does a server that runs alone, as the start script of a provisioned volume runs it', async () => {
  await withExternalServer(
    testMajor,
    async ({ bin, data, ctl }) => {
      await ctl('stop', '-m', 'fast');
      const alone = async (...statements: readonly string[]): Promise<string> => {
        const input = `${statements.join('\n')}\n`;
        const args = ['--single', '-D', data, 'postgres'];
        const options = { ...(await serverAccount()), cwd: '/', input, all: true } as const;
        return (await execa(path.join(bin, 'postgres'), args, options)).all;
      };
      const change = "ALTER ROLE postgres PASSWORD 'in the clear'";
      expect(await alone(change)).toContain('in the clear');
      expect(await alone(...quietSettings('SET'), change)).not.toContain('in the clear');
    },
    logged,
  );
});
