import { expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { readStatus } from '../../src/operations/reads/status.ts';
import { one, rows } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { withEnvironment } from '../support/environment.ts';
import { credentials } from '../support/external.ts';
import { leftovers, nothing } from '../support/leftovers.ts';
import { besides, withMonolith } from '../support/monolith.ts';
import { good } from '../support/verdict.ts';

const refused = { code: '25006' };

test('some tables of a database of others move to a server of theirs, there and back and there, under load: the rest waits for nothing', async () => {
  await withMonolith(async (monolith, declaration) => {
    await withEnvironment({ declaration, existing: credentials }, async (environment) => {
      const { verb, clients, platform, on } = environment;
      const written = await besides(monolith, async () => {
        const { verdict } = await clients(async (workload) => {
          const going = async (): Promise<void> => {
            const { acknowledged } = workload.stats();
            await workload.until((stats) => stats.acknowledged > acknowledged + 100, 30_000);
          };
          for (const each of ['seed', 'migrate', 'verify', 'switch'] as const) await verb(each);
          await going();
          expect((await readStatus(environment.environment, platform)).troubles).toEqual([]);
          for (const sql of [
            'UPDATE workload.account SET balance = 0',
            'TRUNCATE workload.entry',
            'ALTER TABLE workload.entry ADD COLUMN more int',
            'ALTER SCHEMA workload RENAME TO elsewhere',
            'DROP TRIGGER verdigris_fence ON workload.extra',
          ])
            await expect(monolith.ask(sql), sql).rejects.toMatchObject(refused);
          for (const each of ['rollback', 'verify', 'switch'] as const) {
            await verb(each);
            await going();
          }
          await verb('retire');
        });
        expect(verdict).toMatchObject(good);
      });
      expect(written).toBeGreaterThan(100);
      expect(await monolith.waits()).toEqual([]);
      await withClient(monolith.superuser, 'test', async (client) => {
        expect(await one(client, 'SELECT sum(n)::int AS n FROM public.customers')).toEqual({ n: written });
        expect(await rows(client, "SELECT FROM pg_namespace WHERE nspname = 'verdigris'")).toEqual([]);
        await expect(client.query('DELETE FROM workload.entry')).rejects.toMatchObject(refused);
        await client.query('DROP SCHEMA verdigris_fence CASCADE; DELETE FROM workload.entry');
      });
      expect(await leftovers(platform, 'green', on)).toEqual(nothing);
      await on('green', async (client) => {
        expect(
          await rows(
            client,
            `SELECT relname FROM pg_class WHERE relnamespace IN ('public'::regnamespace, 'workload'::regnamespace)
            AND relkind IN ('r', 'v') ORDER BY 1`,
          ),
        ).toEqual([{ relname: 'account' }, { relname: 'entry' }, { relname: 'extra' }, { relname: 'rich' }]);
        expect(await one(client, 'SELECT workload.balance(1) IS NOT NULL AS there')).toEqual({ there: true });
      });
      expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', live: 'green', release: null });
    });
  });
});
