import { expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { one, rows } from '../../src/postgres/client.ts';
import { withClusterEnvironment } from './support/environment.ts';
import { declaration, fill, major, upgrade } from './support/upgrade.ts';
import { walk } from './support/walk.ts';

test('15 to 17 inside a release, under load: switched, rolled back without loss to 15, forward again, accepted', async () => {
  await withClusterEnvironment(
    { declaration, kubernetes: { images: { pooler: 'test/pgbouncer:1.24', upgrade } }, fill },
    async (env) => {
      const {
        verb,
        clients,
        platform,
        on,
        pauses,
        namespace: { admin },
      } = env;
      const { verdict } = await clients(async (workload) => {
        await walk(env, workload, 'seed', 'migrate', 'verify');
        expect(await on('blue', major)).toEqual({ major: 15 });
        expect(await on('green', major)).toEqual({ major: 17 });
        expect(await admin.list('Job', {})).toEqual([]);
        await walk(env, workload, 'switch', 'rollback', 'verify', 'switch');
        await verb('retire');
      });
      console.log(`write pauses in ms: ${pauses.join(', ')}`);
      expect(verdict).toMatchObject({ ok: true, errors: { statements: 0, connects: 0 } });
      expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', live: 'green', operation: null });
      expect(
        await on('green', async (client) => ({
          ...(await one(
            client,
            `SELECT (SELECT count(*)::int FROM book) AS books, (SELECT sum(cents)::int FROM book) AS cents,
              (SELECT count(*)::int FROM cheap) AS cheap, (SELECT books::int FROM totals) AS totals,
              (SELECT count(*)::int FROM pg_stats WHERE tablename = 'book') > 0 AS statistics`,
          )),
          roles: await rows(
            client,
            `SELECT rolname, r.rolcanlogin, a.rolpassword LIKE 'SCRAM%' AS password, r.rolconfig FROM pg_authid a
              JOIN pg_roles r USING (rolname) WHERE rolname = 'auditor'`,
          ),
          extension: await rows(
            client,
            `SELECT extversion = default_version AS newest FROM pg_extension
              JOIN pg_available_extensions ON name = extname WHERE extname = 'pg_stat_statements'`,
          ),
          ours: await rows(client, 'SELECT subname FROM pg_subscription'),
        })),
      ).toEqual({
        books: 20_000,
        cents: 200_010_000,
        cheap: 99,
        totals: 20_000,
        statistics: true,
        roles: [{ rolname: 'auditor', rolcanlogin: true, password: true, rolconfig: ['work_mem=8MB'] }],
        extension: [{ newest: true }],
        ours: [],
      });
      expect(await on('green', (client) => rows(client, 'SELECT name FROM verdigris.fenced_role'))).toEqual([]);
    },
  );
});

test("an image that lacks a major is said in pg_upgrade's place, and everything is undone", async () => {
  await withClusterEnvironment(
    { declaration, kubernetes: { images: { pooler: 'test/pgbouncer:1.24', upgrade: 'postgres:17' } } },
    async ({ verb, platform, namespace: { admin } }) => {
      await expect(verb('seed')).rejects.toMatchObject({
        id: 'upgrade-failed',
        seen: expect.stringContaining('PGBINOLD') as unknown,
      });
      expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', release: null, operation: null });
      expect(await admin.list('Job', {})).toEqual([]);
      expect((await admin.list('StatefulSet', {})).map(({ metadata }) => metadata.name)).toEqual(['shop-blue']);
    },
  );
});

test('without an image for it a later major is refused before anything is changed', async () => {
  await withClusterEnvironment({ declaration }, async ({ verb, on }) => {
    await expect(verb('seed')).rejects.toMatchObject({
      facts: {
        findings: [
          expect.objectContaining({
            id: 'major-differs',
            fix: expect.stringContaining('kubernetes.images.upgrade') as unknown,
          }),
        ],
      },
    });
    expect(await on('blue', (client) => rows(client, 'SELECT slot_name FROM pg_replication_slots'))).toEqual([]);
  });
});
