import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { cloneLocal } from '../../../src/platform/local/lifecycle/clone.ts';
import { htmlReport } from '../../../src/migrations/rehearsal/html.ts';
import type { MigrationEngine } from '../../../src/migrations/engine.ts';
import { withCopySlot } from '../../../src/migrations/rehearsal/copy-slot.ts';
import { makeReport } from '../../../src/migrations/rehearsal/make-report.ts';
import { runMigrations } from '../../../src/migrations/rehearsal/run.ts';
import { measuring, type Measurements } from '../../../src/migrations/rehearsal/measure.ts';
import { refusal } from '../../../src/migrations/rehearsal/refusal.ts';
import { rehearsalText } from '../../../src/migrations/rehearsal/text.ts';
import { withMigrationRole } from '../../../src/migrations/engines/role.ts';
import { formatOf } from '../../../src/migrations/engines/native/format.ts';
import { sqlEngine } from '../../../src/migrations/engines/sql/run.ts';
import type { WatchedTarget } from '../../../src/migrations/engines/sql/watch.ts';
import { VerdigrisError } from '../../../src/model/errors.ts';
import { readJournal } from '../../../src/operations/engine/ledger.ts';
import { rehearse, type Rehearsal, type RehearseOptions } from '../../../src/operations/proofs/rehearse.ts';
import { one, rows, type Client } from '../../../src/postgres/client.ts';
import { withClient, withOwnSession } from '../../../src/postgres/session.ts';
import { withEnvironment, type TestEnvironment, type TestEnvironmentOptions } from '../../support/environment.ts';
import { temporaryFolder, testMajor } from '../../support/postgres.ts';

const quick: RehearseOptions = { clients: 6, rate: 150, warmUp: 500 };

async function fill(client: Client): Promise<void> {
  await client.query(`
    CREATE SCHEMA app;
    CREATE TABLE app.big (id int PRIMARY KEY, code int NOT NULL, note text NOT NULL);
    INSERT INTO app.big SELECT g, g % 100, repeat('x', 60) FROM generate_series(1, 60000) g;
    CREATE INDEX big_code ON app.big (code, id);
    CREATE TABLE app.side (id int PRIMARY KEY, name text NOT NULL);
    INSERT INTO app.side SELECT g, 'n' || g FROM generate_series(1, 2000) g;
    ANALYZE app.big, app.side`);
}

/** A load of one connection; run from the project's folder, as tests are. */
const connectAndStay = `import pg from "pg"; const c = new pg.Client(process.env.DATABASE_URL); c.on("error", () => process.exit());
    await c.connect(); setInterval(() => c.query("SELECT 1"), 20)`;

/** An environment whose candidate has these migrations. */
async function withMigrations(
  files: Record<string, string>,
  options: TestEnvironmentOptions,
  use: (env: TestEnvironment & { readonly migrations: string }) => Promise<void>,
): Promise<void> {
  const folder = await temporaryFolder();
  const migrations = path.join(folder, 'migrations');
  await mkdir(migrations);
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(migrations, name), text);
  try {
    await withEnvironment({ fill, migrations, ...options }, (env) => use({ ...env, migrations }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function run(
  { environment, platform, events }: TestEnvironment,
  options: Partial<RehearseOptions> = {},
  signal = new AbortController().signal,
): Promise<Rehearsal> {
  return rehearse(
    { environment, platform, emit: (event) => events.push(event), signal },
    (of) => cloneLocal(of, platform, signal),
    { ...quick, ...options },
  );
}

/** Without the COMMITs, of which a slow one is listed too. */
function ofFiles({ statements }: Rehearsal['report']) {
  return statements.filter(({ text }) => text !== 'COMMIT');
}

/** The live colour as it was, and nothing of a clone. */
async function expectNothingLeft({ home, platform, on }: TestEnvironment): Promise<void> {
  expect((await readdir(home)).filter((name) => name.startsWith('drill-'))).toEqual([]);
  expect(await platform.servers.snapshots()).toEqual([]);
  expect(await on('blue', (client) => rows(client, 'SELECT slot_name FROM pg_replication_slots'))).toEqual([]);
  expect(
    await on('blue', (client) =>
      rows(client, "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'verdigris/rehearse%'"),
    ),
  ).toEqual([]);
  expect(await readJournal(platform.journal)).toMatchObject({
    state: 'single',
    live: 'blue',
    release: null,
    operation: null,
  });
  expect(await processesOf(`${home}/drill-`)).toEqual([]);
}

async function processesOf(text: string): Promise<string[]> {
  const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const all = await Promise.all(numbers.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return all.filter((command) => command.includes(text));
}

/** Within a tenth or 30 ms, whichever is more. */
function expectNear(actual: number, expected: number): void {
  expect(Math.abs(actual - expected), `${actual} ms against ${expected} ms`).toBeLessThanOrEqual(
    Math.max(30, expected / 10),
  );
}

test('a long lock, a rewrite and an index are found, with mode, table, time and who waited; the live run takes as long', async () => {
  await withMigrations(
    {
      '001_long.sql':
        'ALTER TABLE app.big ADD CONSTRAINT positive CHECK (code >= 0);\nSELECT pg_sleep(2);\nCREATE TABLE app.made (id int PRIMARY KEY);',
      '002_rewrite.sql': 'ALTER TABLE app.big ALTER COLUMN code TYPE bigint;',
      '003_index.sql': 'CREATE INDEX big_note ON app.big (note);\nSELECT pg_sleep(1);',
      '004_apart.sql':
        "CREATE INDEX CONCURRENTLY side_name ON app.side (name);\nCOMMENT ON TABLE app.side IS '<script>alert(1)</script>';",
    },
    {},
    async (env) => {
      const { report, failure } = await run(env, {
        maxLock: 1_000,
        smoke: `test "$PGUSER" = shop_app && test -z "$VERDIGRIS_SECRET" && echo "n <b>ok</b>"`,
      });
      expect(failure).toBeUndefined();
      expect(report).toMatchObject({
        verdict: 'refused',
        measured: 'statements',
        engine: 'sql',
        load: { kind: 'synthetic', errors: [] },
        smoke: { exitCode: 0, tail: 'n <b>ok</b>' },
      });
      const [check, sleep, made, rewrite, index, , apart, comment] = ofFiles(report);
      expect(check).toMatchObject({ line: 1, locks: [{ table: 'app.big', mode: 'ACCESS EXCLUSIVE' }], rewrites: [] });
      expect(sleep).toMatchObject({ line: 2, locks: [] });
      // What the migrations make themselves nobody can wait for.
      expect(made?.locks).toEqual([]);
      expect(rewrite).toMatchObject({
        locks: [{ table: 'app.big', mode: 'ACCESS EXCLUSIVE' }],
        rewrites: [{ relation: 'app.big' }],
      });
      expect(rewrite?.rewrites[0]?.bytes).toBeGreaterThan(5_000_000);
      expect(rewrite?.walBytes).toBeGreaterThan(4_000_000);
      expect(rewrite?.diskBytes).toBeGreaterThan(4_000_000);
      expect(index).toMatchObject({ locks: [{ table: 'app.big', mode: 'SHARE' }], rewrites: [] });
      expect(apart?.locks.filter(({ mode }) => mode !== 'SHARE UPDATE EXCLUSIVE')).toEqual([]);
      expect(comment?.blocked.count).toBe(0);
      // Clients waited from moments after the lock was taken until COMMIT, also while the next statements ran.
      const held = check?.locks[0]?.heldMs ?? 0;
      expect(held).toBeGreaterThan(2_000);
      expect(check?.blocked.count).toBeGreaterThan(0);
      expectNear(check?.blocked.longestMs ?? 0, held);
      expect(index?.blocked.longestMs).toBeGreaterThan(850);
      expect(report.blocked[0]).toMatchObject({ table: 'app.big', statement: 0 });
      expect(report.load.during.max).toBeGreaterThan(1_800);
      expectNear(report.replication.applyStandsMs, held);
      expect(report.replication).toMatchObject({ table: 'app.big', mode: 'ACCESS EXCLUSIVE' });
      expect(report.findings.map(({ id, grade }) => `${grade} ${id}`)).toEqual(
        expect.arrayContaining(['refuse rehearsal-blocked', 'warn rehearsal-rewrite', 'info rehearsal-plans-skipped']),
      );
      expect(refusal(report)).toMatchObject({ code: 'refused', id: 'rehearsal-refused' });

      const page = htmlReport(report);
      expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
      expect(page).toContain('n &lt;b&gt;ok&lt;/b&gt;');
      expect(page).not.toMatch(/<script|\bsrc=|\bhref=|url\(|@import/);
      expect(rehearsalText(report)).toContain('ACCESS EXCLUSIVE on app.big');
      await expectNothingLeft(env);

      // The live run, of the same statements: the lock is held as long as was said.
      const live = await env.on('blue', async (client) => {
        const into: Measurements = { statements: [], files: [] };
        const connection = { ...(await env.platform.servers.connection('blue')), database: 'shop' };
        const target: WatchedTarget = {
          client,
          connection,
          release: '2',
          lockTimeout: 5_000,
          statementTimeout: 0,
          signal: new AbortController().signal,
          onProgress: () => undefined,
          watch: measuring(into),
        };
        await sqlEngine({ folder: env.migrations, format: formatOf('sql') }).apply(target, client);
        return into;
      });
      const [file] = live.files;
      expectNear(held, (file?.end ?? 0) - (file?.at ?? 0));
      expectNear(sleep?.ms ?? 0, live.statements[1]?.ms ?? 0);
    },
  );
});

test('a migration that fails is told with file and line, and the report stands', async () => {
  await withMigrations(
    {
      '001_good.sql': 'ALTER TABLE app.side ADD COLUMN age int;',
      '002_bad.sql': 'SELECT 1;\n\nALTER TABLE app.side ADD CONSTRAINT short CHECK (length(name) < 3);',
    },
    {},
    async (env) => {
      const { report, failure } = await run(env);
      expect(failure).toMatchObject({ code: 'failed', id: 'migration-failed', facts: { line: 3 } });
      expect(report).toMatchObject({ verdict: 'failed', failure: { id: 'migration-failed', line: 3 } });
      expect(report.failure?.file).toMatch(/002_bad\.sql$/);
      expect(report.statements.at(-1)?.error).toMatch(/short/);
      expect(htmlReport(report)).toContain('The migration failed');
      await expectNothingLeft(env);
      // A folder that cannot be read is told before anything is copied.
      await writeFile(path.join(env.migrations, '003_typo.sql'), 'ALTER TABEL app.side ADD x int;');
      await expect(run(env)).rejects.toMatchObject({ id: 'sql-syntax' });
      await expectNothingLeft(env);
    },
  );
});

test('an interruption in the middle of a statement cleans up, whatever ran', async () => {
  await withMigrations({ '001_long.sql': 'SELECT pg_sleep(600);' }, {}, async (env) => {
    const interruption = new AbortController();
    const stopped = new VerdigrisError('interrupted', { seen: '', required: '', next: '' });
    const command = `node --input-type=module -e '${connectAndStay}' & sleep 4711`;
    const emit = (event: { type: string; text?: string }): void => {
      if (event.text?.includes('001_long.sql')) setImmediate(() => interruption.abort(stopped));
    };
    const { environment, platform } = env;
    await expect(
      rehearse(
        { environment, platform, emit, signal: interruption.signal },
        (of) => cloneLocal(of, platform, interruption.signal),
        { ...quick, load: command },
      ),
    ).rejects.toBe(stopped);
    await expectNothingLeft(env);
    expect(await processesOf('sleep\u00004711')).toEqual([]);
    expect(await processesOf(connectAndStay)).toEqual([]);
    // While the clone is being made.
    const early = new AbortController();
    const clone = (of: typeof environment) => {
      early.abort(stopped);
      return cloneLocal(of, platform, early.signal);
    };
    await expect(
      rehearse({ environment, platform, emit: () => undefined, signal: early.signal }, clone, quick),
    ).rejects.toBe(stopped);
    await expectNothingLeft(env);
  });
});

test('the live statements are the load; those that get a worse plan or are refused are named, and a smoke test that fails refuses', async () => {
  const migration = 'DROP INDEX app.big_code;\nALTER TABLE app.side RENAME COLUMN name TO title;';
  await withMigrations(
    { '001_contract.sql': migration },
    { settings: { shared_preload_libraries: 'pg_stat_statements' } },
    async (env) => {
      const { host, port } = address((await env.platform.traffic.status()).address);
      await env.on('blue', (client) => client.query('CREATE EXTENSION pg_stat_statements'));
      await asApplication({ host, port, password: env.credentials['shop_app'] ?? '' }, async (client) => {
        for (let turn = 0; turn < 5; turn++) {
          await client.query('SELECT id FROM app.big WHERE code = $1 AND id < $2', [turn, 500]);
          await client.query('SELECT name FROM app.side WHERE id = $1', [turn]);
          await client.query('UPDATE app.side SET name = name WHERE id = $1', [turn]);
          await client.query('SELECT count(*) FROM app.side');
        }
      });
      const { report } = await run(env, { smoke: 'echo broken; echo "and <why>" >&2; exit 3' });
      expect(report).toMatchObject({ verdict: 'refused', smoke: { exitCode: 3 } });
      expect(report.smoke?.tail).toContain('and <why>');
      expect(report.findings).toEqual(
        expect.arrayContaining([expect.objectContaining({ id: 'rehearsal-smoke', grade: 'refuse' })]),
      );
      if (testMajor < 16) {
        expect(report.plans.skipped).toContain('PostgreSQL 16');
      } else {
        expect(report.load).toMatchObject({ kind: 'pg_stat_statements' });
        expect(report.plans.worse.map(({ query }) => query)).toEqual([
          'SELECT id FROM app.big WHERE code = $1 AND id < $2',
        ]);
        expect(report.plans.broken.map(({ query }) => query).sort()).toEqual([
          'SELECT name FROM app.side WHERE id = $1',
          'UPDATE app.side SET name = name WHERE id = $1',
        ]);
        // The live release met the renamed column while the rehearsal went on.
        expect(report.load.errors[0]?.message).toContain('column "name" does not exist');
      }
      await expectNothingLeft(env);
    },
  );
});

test("of an engine that runs its own statements, these are taken from the clone's log", async () => {
  await withEnvironment({ fill }, async (env) => {
    const { environment, platform } = env;
    const signal = new AbortController().signal;
    const live = { ...(await platform.servers.connection('blue')), database: 'shop' };
    // The clone is set as the original: it logs what Verdigris and the load run too.
    await withOwnSession(live, 'test', (client) => client.query('ALTER SYSTEM SET log_min_duration_statement = 0'));
    const clone = await withCopySlot(
      live,
      60_000,
      signal,
      () => cloneLocal(environment, platform, signal),
      (made) => made.destroy(),
    );
    try {
      const connection = { ...(await clone.platform.servers.connection('blue')), database: 'shop' };
      const engine: MigrationEngine = {
        name: 'foreign',
        pending: () => Promise.resolve([{ version: '1', name: 'widen' }]),
        // Its own login and connection, as a tool has; Verdigris works as the operator meanwhile.
        apply: (target) =>
          withMigrationRole(target, async (login) => {
            const client = new pg.Client(login);
            await client.connect();
            await client.query('BEGIN');
            await client.query('ALTER TABLE app.big\n  ALTER COLUMN code TYPE bigint');
            await withOwnSession(connection, 'test', (own) => one(own, 'SELECT 1'));
            await client.query('SELECT pg_sleep($1)', [1]);
            await client.query('COMMIT');
            await client.end();
            return [{ version: '1', name: 'widen' }];
          }),
      };
      const result = await runMigrations({
        connection,
        engine,
        release: '2',
        folder: undefined,
        limits: environment.limits,
        warmUp: 200,
        serverLog: clone.serverLog,
        note: () => undefined,
        signal,
        load: {
          as: clone.as,
          role: 'shop_app',
          command: undefined,
          known: 'none',
          major: testMajor,
          clients: 4,
          rate: 100,
          texts: ['ALTER TABLE app.big'],
          signal,
        },
      });
      const report = makeReport({
        environment,
        server: { version: '', databaseBytes: 0 },
        run: result,
        options: {},
        engine: engine.name,
        from: '1',
        to: '2',
        plans: { compared: 0, worse: [], broken: [] },
        smoke: undefined,
      });
      expect(report.measured).toBe('log');
      expect(report.statements.map(({ text }) => text)).toEqual([
        'BEGIN',
        'ALTER TABLE app.big\n  ALTER COLUMN code TYPE bigint',
        'SELECT pg_sleep($1)',
        'COMMIT',
      ]);
      expect(report.statements[1]).toMatchObject({
        locks: [{ table: 'app.big', mode: 'ACCESS EXCLUSIVE' }],
        rewrites: [{ relation: 'app.big' }],
      });
      expect(report.statements[1]?.locks[0]?.heldMs).toBeGreaterThan(1_000);
      expectNear(report.totals.longestBlockedMs, report.statements[1]?.locks[0]?.heldMs ?? 0);
      expect(report.statements[2]?.ms).toBeGreaterThan(990);
    } finally {
      await clone.destroy();
    }
    await expectNothingLeft(env);
  });
});

function address(text: string): { host: string; port: number } {
  const [host = '', port = ''] = text.split(':');
  return { host, port: Number(port) };
}

async function asApplication(
  at: { host: string; port: number; password: string },
  use: (client: Client) => Promise<void>,
): Promise<void> {
  await withClient({ ...at, user: 'shop_app', database: 'shop' }, 'test', use);
}
