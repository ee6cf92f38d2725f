import { rm } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { serverAccount } from '../../src/platform/local/account.ts';
import { ownFolder } from '../../src/platform/local/sockets.ts';
import { withNewestPgDump } from '../support/client-programs.ts';
import { withEnvironment } from '../support/environment.ts';
import { credentials } from '../support/external.ts';
import { betweenServers } from '../support/external-pair.ts';
import { temporaryFolder, testMajor } from '../support/postgres.ts';

beforeAll(withNewestPgDump);

test('one server is reached by IPv6, the other by the folder of its socket: a release there and back', async () => {
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
                CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (u 'x')`),
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
      { listen_addresses: '127.0.0.1,::1' },
      { unix_socket_directories: folder },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
