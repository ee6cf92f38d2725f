import { beforeAll, expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { withNewestPgDump } from '../support/client-programs.ts';
import { withEnvironment } from '../support/environment.ts';
import { credentials } from '../support/external.ts';
import { leftovers, nothing } from '../support/leftovers.ts';
import { betweenManaged } from '../support/managed-server.ts';
import { good } from '../support/verdict.ts';

beforeAll(withNewestPgDump);

test('between two managed services, without a superuser on either, there and back and there, under load: nothing is lost or left', async () => {
  await betweenManaged((declaration) =>
    withEnvironment({ declaration, existing: credentials }, async (environment) => {
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
    }),
  );
});
