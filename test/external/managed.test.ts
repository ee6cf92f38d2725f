import { beforeAll, expect, test } from 'vitest';
import { parseEnvironment } from '../../src/model/environment.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { LocalPlatform } from '../../src/platform/local/platform.ts';
import { withNewestPgDump } from '../support/client-programs.ts';
import { withEnvironment } from '../support/environment.ts';
import { credentials, declaredPasswords } from '../support/external.ts';
import { failure } from '../support/failure.ts';
import { leftovers, nothing } from '../support/leftovers.ts';
import { reservedRole } from '../support/managed.ts';
import { fillManagedShop, withManagedServer, type ManagedServer } from '../support/managed-server.ts';
import { temporaryFolder, testMajor } from '../support/postgres.ts';
import { good } from '../support/verdict.ts';

beforeAll(withNewestPgDump);

/** The statements that `create` names, with this server as the live one. */
async function grantsAskedFor(declaration: Record<string, unknown>, server: ManagedServer): Promise<string[]> {
  const raw = {
    ...{ name: 'shop', platform: 'local', database: 'shop', live: 'blue', roles: { application: ['shop_app'] } },
    ...declaration,
    colours: { blue: { release: '1', postgres: testMajor, server: server.declared } },
  };
  const platform = await LocalPlatform.open(parseEnvironment(raw, 'the test'), await temporaryFolder());
  const { id, facts } = await failure(platform.lifecycle.create({ raw }));
  expect(id).toBe('external-refused');
  return facts?.['grants'] as string[];
}

test('between two managed services, without a superuser on either, there and back and there, under load: nothing is lost or left', async () => {
  await withManagedServer(testMajor, (here) =>
    withManagedServer(testMajor, async (there) => {
      await fillManagedShop(here);
      const declaration = {
        colours: {
          blue: { release: '1', postgres: testMajor, server: here.declared },
          green: { release: '2', postgres: testMajor, server: there.declared },
        },
        fence: { accept: [reservedRole] },
        local: { passwords: declaredPasswords },
      };
      // What is asked for is all that it takes.
      await here.ask(await grantsAskedFor(declaration, here), 'shop');
      await withEnvironment({ declaration, existing: credentials }, async (environment) => {
        const { verb, clients, platform, on } = environment;
        const { verdict } = await clients(async (workload) => {
          for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
          for (const each of ['switch', 'rollback', 'verify', 'switch'] as const) {
            await verb(each);
            const { acknowledged } = workload.stats();
            await workload.until((stats) => stats.acknowledged > acknowledged + 100, 30_000);
          }
          await verb('retire');
        });
        expect(verdict).toMatchObject(good);
        expect(await leftovers(platform, 'green', on)).toEqual(nothing);
        expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', live: 'green', release: null });
      });
    }),
  );
});
