import { expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { withClient } from '../../src/postgres/client.ts';
import { withEnvironment } from '../support/environment.ts';
import { credentials, declaredPasswords, declaredServer, fillShop, withExternalServer } from '../support/external.ts';
import { leftovers, nothing } from '../support/leftovers.ts';
import { testMajor } from '../support/postgres.ts';
import { good } from '../support/verdict.ts';

/** Split alike on both sides, as the oldest publisher wants it. */
const partitioned = `
  CREATE TABLE public.event (at date, note text, PRIMARY KEY (at)) PARTITION BY RANGE (at);
  CREATE TABLE public.event_1 PARTITION OF public.event FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
  CREATE TABLE public.event_2 PARTITION OF public.event FOR VALUES FROM ('2026-07-01') TO ('2027-01-01');
  INSERT INTO public.event SELECT date '2026-01-01' + n, 'note ' || n FROM generate_series(0, 300) n`;

/** The newest that a pg_dump of the system reads. */
const liveMajors = [15];

test.each(liveMajors)(
  'from a server of PostgreSQL %i that others run to one of ours, there and back and there, under load: nothing is lost or left',
  async (liveMajor) => {
    await withExternalServer(liveMajor, async (theirs) => {
      await fillShop(theirs);
      await withClient({ ...theirs.superuser, database: 'shop' }, 'test', (client) => client.query(partitioned));
      const declaration = {
        colours: {
          blue: { release: '1', postgres: liveMajor, server: declaredServer(theirs) },
          // Another address than the one at which everything listens: their server must come in there.
          green: { release: '2', postgres: testMajor, server: { kind: 'local', host: '127.0.0.2' } },
        },
        local: { passwords: declaredPasswords },
      };
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
    });
  },
);
