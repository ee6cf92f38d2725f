import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { one, rows, type Client } from '../../src/postgres/client.ts';
import { waitFor } from '../../src/model/wait.ts';
import type { Workload } from '../../src/workload/start.ts';
import { withClusterEnvironment, type ClusterEnvironment } from './support/environment.ts';

const upgrade = 'test/postgres-upgrade:15-to-17';
const declaration = { colours: { blue: { release: '1', postgres: 15 }, green: { release: '2', postgres: 17 } } };

/**
 * What the majors treat differently: a view whose text they print otherwise, an extension, a generated column, an index
 * to be kept, a role with a password.
 */
async function fill(client: Client): Promise<void> {
  await client.query(`
    CREATE EXTENSION pg_stat_statements;
    CREATE TABLE public.book (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text NOT NULL,
    cents int NOT NULL, euro numeric GENERATED ALWAYS AS (cents / 100.0) STORED, search tsvector);
    CREATE INDEX book_search ON public.book USING gin (search);
    INSERT INTO public.book (title, cents, search) SELECT 'title ' || n, n, to_tsvector('simple', 'title ' || n) FROM generate_series(1, 20000) n;
    ALTER TABLE public.book DROP COLUMN search, ADD COLUMN note text;
    CREATE VIEW public.cheap AS SELECT book.id, book.title FROM public.book WHERE book.cents < 100;
    CREATE MATERIALIZED VIEW public.totals AS SELECT count(*) AS books, sum(cents) AS cents FROM public.book;
    CREATE ROLE auditor LOGIN PASSWORD 'auditor' VALID UNTIL '2040-01-01';
    ALTER ROLE auditor SET work_mem = '8MB'`);
}

async function walk(
  { verb }: ClusterEnvironment,
  workload: Workload,
  ...verbs: readonly ('seed' | 'migrate' | 'verify' | 'switch' | 'rollback')[]
): Promise<void> {
  for (const each of verbs) {
    await verb(each);
    const { acknowledged } = workload.stats();
    await workload.until((stats) => stats.acknowledged > acknowledged + 50, 60_000);
  }
}

/** The command line as a process of its own, with the operator's rights, killed once `moment` has come. */
async function killedOperator(
  { folder, raw, namespace: { operator } }: ClusterEnvironment,
  verb: string,
  moment: () => Promise<boolean>,
): Promise<void> {
  const [declared, config] = [path.join(folder, 'verdigris.yaml'), path.join(folder, 'kubeconfig')];
  await writeFile(declared, JSON.stringify(raw));
  await writeFile(config, operator.exportConfig(), { mode: 0o600 });
  const child = execa(
    process.execPath,
    [fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url)), verb, '-f', declared, '--json'],
    { env: { KUBECONFIG: config }, reject: false },
  );
  let ended = false;
  void child.then(() => (ended = true));
  await waitFor(async () => (ended || (await moment()) ? true : undefined), {
    limit: 120_000,
    every: 20,
    slowest: 50,
    what: 'the moment to kill the operator',
    next: 'see what it said',
  });
  child.kill('SIGKILL');
  const { signal, stdout, stderr } = await child;
  expect(signal, `${stdout}${stderr}`).toBe('SIGKILL');
}

const major = (client: Client) =>
  one<{ major: number }>(client, "SELECT current_setting('server_version_num')::int / 10000 AS major");

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

test('an operator killed while the Job runs: the same command goes on, and an abandoned one leaves nothing', async () => {
  await withClusterEnvironment(
    { declaration, kubernetes: { images: { pooler: 'test/pgbouncer:1.24', upgrade } }, fill },
    async (env) => {
      const {
        verb,
        clients,
        platform,
        on,
        namespace: { admin },
      } = env;
      const killed = async (): Promise<void> => {
        await killedOperator(env, 'seed', async () => (await admin.list('Job', {})).length > 0);
        expect(await readJournal(platform.journal)).toMatchObject({
          state: 'single',
          operation: { verb: 'seed', phase: 'start' },
        });
      };
      const { verdict } = await clients(async (workload) => {
        await killed();
        await verb('abandon');
        expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', release: null, operation: null });
        for (const kind of ['Job', 'VolumeSnapshot'] as const) expect(await admin.list(kind, {})).toEqual([]);
        expect((await admin.list('PersistentVolumeClaim', {})).map(({ metadata }) => metadata.name)).toEqual([
          'shop-blue-1',
        ]);
        await killed();
        await walk(env, workload, 'seed', 'migrate', 'verify', 'switch');
        expect(await on('green', major)).toEqual({ major: 17 });
      });
      expect(verdict).toMatchObject({ ok: true, errors: { statements: 0, connects: 0 } });
    },
  );
});

test('an image that lacks a major is said in pg_upgrade’s place, and everything is undone', async () => {
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
