import { rm } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { serverAccount } from '../../src/platform/local/account.ts';
import { startEnvironment } from '../../src/platform/local/lifecycle/create.ts';
import { readStatus } from '../../src/operations/reads/status.ts';
import { ownFolder } from '../../src/platform/local/sockets.ts';
import { withNewestPgDump } from '../support/client-programs.ts';
import { withEnvironment } from '../support/environment.ts';
import { credentials } from '../support/external.ts';
import { betweenServers } from '../support/external-pair.ts';
import { temporaryFolder, testMajor } from '../support/postgres.ts';

beforeAll(withNewestPgDump);

/** What postgresql.conf says for clients, and means for no session that a release needs. */
const forClients: Readonly<Record<string, string>> = {
  statement_timeout: '300ms',
  lock_timeout: '20ms',
  idle_in_transaction_session_timeout: '200ms',
  idle_session_timeout: '500ms',
  ...(testMajor >= 17 ? { transaction_timeout: '400ms' } : {}),
  default_transaction_isolation: 'serializable',
  default_transaction_deferrable: 'on',
  default_transaction_read_only: 'on',
  row_security: 'off',
  check_function_bodies: 'off',
  search_path: 'aside',
  standard_conforming_strings: 'off',
  quote_all_identifiers: 'on',
  DateStyle: 'German',
  bytea_output: 'escape',
  extra_float_digits: '-15',
};

test('one server is reached by IPv6, the other by the folder of its socket, and both limit clients: a release there and back', async () => {
  const folder = `${await temporaryFolder()}-s`;
  await ownFolder(folder, await serverAccount());
  try {
    await betweenServers(
      async (declaration) => {
        const { blue, green } = declaration['colours'] as Record<'blue' | 'green', { server: object }>;
        const colours = {
          blue: { ...blue, server: { ...blue.server, host: '::1' } },
          green: { ...green, server: { ...green.server, host: folder } },
        };
        await withEnvironment(
          { declaration: { ...declaration, colours }, existing: credentials },
          async ({ verb, load, platform, on }) => {
            // Roles come before the schema, and the foreign server with it.
            await on('blue', (client) =>
              client.query(`CREATE FOREIGN DATA WRAPPER fdw; CREATE SERVER far FOREIGN DATA WRAPPER fdw;
                CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (u 'x');
                ALTER ROLE shop_app SET default_transaction_read_only = off`),
            );
            const { verdict } = await load(50, async (workload) => {
              for (const each of ['seed', 'migrate', 'verify', 'switch', 'rollback'] as const) {
                await verb(each);
                const { acknowledged } = workload.stats();
                await workload.until((stats) => stats.acknowledged > acknowledged + 20, 30_000);
              }
            });
            expect(verdict).toMatchObject({ ok: true, lost: { count: 0 }, doubled: { count: 0 } });
            expect(await readJournal(platform.journal)).toMatchObject({ state: 'migrated', live: 'blue' });
            await verb('abandon');
          },
        );
      },
      [testMajor, testMajor],
      { ...forClients, listen_addresses: '127.0.0.1,::1' },
      { ...forClients, unix_socket_directories: folder },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('where the file is lost that says a server of others is a colour, status says so, and start writes it again', async () => {
  await betweenServers(async (declaration) => {
    await withEnvironment({ declaration, existing: credentials }, async ({ environment, platform, verb }) => {
      const troubles = async (): Promise<unknown> =>
        (await readStatus(environment, platform)).troubles.map(({ id, seen, repair }) => [id, seen, repair]);
      const lost = (role: string): RegExp => new RegExp(`a server of others is \\w+ \\(${role}\\) is gone`);
      const forget = (colour: string): Promise<void> => rm(path.join(platform.places.external, `${colour}.json`));
      await forget('blue');
      expect(await troubles()).toEqual([['live-gone', expect.stringMatching(lost('live')), '`verdigris start`']]);
      await startEnvironment(environment, platform);
      expect(await troubles()).toEqual([]);

      await verb('seed');
      await forget('green');
      expect(await troubles()).toEqual([['other-gone', expect.stringMatching(lost('candidate')), '`verdigris start`']]);
      await startEnvironment(environment, platform);
      expect(await troubles()).toEqual([]);

      await verb('abandon');
      expect(await troubles()).toEqual([]);
    });
  });
});
