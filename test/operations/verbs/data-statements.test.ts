import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { readJournal } from '../../../src/operations/engine/ledger.ts';
import { plannedFiles } from '../../../src/operations/reads/planned-files.ts';
import { rows, type Client } from '../../../src/postgres/client.ts';
import { failure } from '../../support/failure.ts';
import { withEnvironment, type TestEnvironment } from '../../support/environment.ts';
import { testMajor } from '../../support/postgres.ts';
import { withFolder } from '../backfill-release.ts';

const timeout = 300_000;

const tables = `
  CREATE TABLE limits (id bigserial PRIMARY KEY, per_day int NOT NULL DEFAULT 1, touched timestamptz);
  INSERT INTO limits (per_day) SELECT 1 + g % 3 FROM generate_series(1, 9) g;
  CREATE TABLE plan (code text PRIMARY KEY);
  INSERT INTO plan VALUES ('free'), ('old');
  CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.touched := now(); RETURN NEW; END';`;

const found = (client: Client): Promise<unknown[]> =>
  rows(
    client,
    `SELECT (SELECT string_agg(per_day::text, '' ORDER BY id) FROM limits) AS limits, (SELECT string_agg(code, ' ' ORDER BY code) FROM plan) AS plans,
      (SELECT count(*)::int FROM limits GROUP BY id HAVING count(*) > 1) AS doubled`,
  );

async function upTo(
  test: TestEnvironment,
  ...verbs: readonly ('seed' | 'migrate' | 'verify' | 'switch')[]
): Promise<void> {
  for (const verb of verbs) await test.verb(verb);
}

/** By `create` what `fill` makes becomes the owner's, as whom all of this runs. */
const owned = { application: ['shop_app'], readers: ['shop_reader'], owner: 'shop_owner' };

const options = (migrations: string, declaration: Record<string, unknown> = {}) => ({
  migrations,
  declaration,
  fill: async (client: Client) => void (await client.query(tables)),
});

test(
  'statements that change rows both colours have run at the switchover, over what the live release wrote meanwhile, once, and come along on the way back',
  { timeout },
  async () => {
    const files = {
      '0001_raise.sql': `ALTER TABLE limits ALTER COLUMN per_day SET DEFAULT 3;
        UPDATE limits SET per_day = per_day + 6 WHERE per_day = 1;
        DO $$ BEGIN DELETE FROM plan WHERE code = 'old'; END $$;
        CREATE TABLE price (plan text PRIMARY KEY REFERENCES plan, cents int);
        INSERT INTO plan VALUES ('pro');
        INSERT INTO price VALUES ('pro', 900);
        CREATE TABLE note (id int PRIMARY KEY);
        INSERT INTO note VALUES (1);`,
      '0002_more.sql': `SET search_path = public;
        CREATE FUNCTION add_limit() RETURNS void LANGUAGE sql AS 'INSERT INTO public.limits DEFAULT VALUES';
        SELECT add_limit();`,
    };
    await withFolder(files, async (folder) => {
      // A machine that is shared takes its time.
      await withEnvironment(options(folder, { roles: owned, limits: { pause: '10s' } }), async (test) => {
        await upTo(test, 'seed', 'migrate');
        const before = [{ limits: '231231231', plans: 'free old', doubled: null }];
        expect(await test.on('green', found)).toEqual(before);
        expect(await test.on('green', (client) => rows(client, 'SELECT id FROM note'))).toEqual([{ id: 1 }]);
        const { release } = await readJournal(test.platform.journal);
        expect(
          release?.data?.map(({ place, writes }) => [place, ...writes.map((write) => Object.values(write).join(' '))]),
        ).toEqual([
          ['switch', 'public.limits 0 3 0'],
          ['switch', 'public.plan 0 0 1'],
          ['switch', 'public.plan 1 0 0'],
          ['switch', 'public.price 1 0 0'],
          ['switch', 'public.limits 1 0 0'],
        ]);
        await upTo(test, 'verify');
        await test.on('blue', (client) => client.query('INSERT INTO limits (per_day) VALUES (1), (5)'));
        await upTo(test, 'switch');
        const after = [{ limits: '237237237753', plans: 'free pro', doubled: null }];
        expect(await test.on('green', found)).toEqual(after);
        await test.verb('rollback');
        expect(await test.on('blue', found)).toEqual(after);
        await upTo(test, 'verify', 'switch');
        expect(await test.on('green', found)).toEqual(after);
        expect(await test.on('green', (client) => rows(client, 'SELECT FROM price'))).toHaveLength(1);
      });
    });
  },
);

test(
  'a note sends a statement to the live colour, once declared: it runs there once, arrives by replication, and is written down',
  { timeout },
  async () => {
    const file = '0001_live.sql';
    const text = `ALTER TABLE limits ADD COLUMN note text;
      -- verdigris: place=live reason=the ids are drawn there
      INSERT INTO limits (per_day) VALUES (8);
      UPDATE limits SET note = per_day || ' a day';`;
    await withFolder({ [file]: text }, async (folder, write) => {
      const colours = (writesLive: boolean) => ({
        blue: { release: '1', postgres: testMajor },
        green: { release: '2', postgres: testMajor, migrations: folder, ...(writesLive ? { writesLive } : {}) },
      });
      await withEnvironment(options(folder, { colours: colours(false) }), async (test) => {
        expect(await failure(test.verb('seed'))).toMatchObject({
          id: 'live-writes-undeclared',
          seen: expect.stringMatching(/0001_live\.sql:3: INSERT INTO limits/),
        });
        expect(await test.on('blue', found)).toMatchObject([{ limits: '231231231' }]);
      });
      await write(file, `${text}\nSELECT 1/0;`);
      await withEnvironment(options(folder, { roles: owned, colours: colours(true) }), async (test) => {
        await upTo(test, 'seed');
        expect(await failure(test.verb('migrate'))).toMatchObject({ id: 'migration-failed' });
        await write(file, text);
        await upTo(test, 'migrate');
        for (const colour of ['blue', 'green'] as const)
          expect(await test.on(colour, found)).toMatchObject([{ limits: '2312312318' }]);
        const { release } = await readJournal(test.platform.journal);
        expect(release?.data).toMatchObject([
          { place: 'live', writes: [{ table: 'public.limits', inserted: 1, updated: 0, deleted: 0 }] },
        ]);
        await upTo(test, 'verify');
      });
    });
  },
);

test(
  "what takes longer than a tenth of limits.pause is refused with the ways on, and what a note leaves on the candidate is told as the release's own",
  { timeout },
  async () => {
    const file = '0001_slow.sql';
    const slow = 'UPDATE limits SET per_day = 4 WHERE (SELECT pg_sleep(0.4)) IS NOT NULL AND id = 1;';
    await withFolder({ [file]: slow }, async (folder, write) => {
      await withEnvironment(options(folder), async (test) => {
        await upTo(test, 'seed');
        const refused = await failure(test.verb('migrate'));
        expect(refused).toMatchObject({
          id: 'data-statement-slow',
          seen: expect.stringMatching(/0001_slow\.sql:1: UPDATE limits.*1 row\)/s),
          next: expect.stringMatching(/^-- verdigris: place=switch reason=clients may wait for it$/m),
        });
        expect(await test.on('green', found)).toMatchObject([{ limits: '231231231' }]);
        // Nothing of the file is applied: the note may be added now.
        await write(file, `-- verdigris: place=switch reason=clients may wait for it\n${slow}`);
        await upTo(test, 'migrate');
        await test.verb('abandon');

        await write(file, '-- verdigris: place=candidate reason=try it\nUPDATE limits SET per_day = 4 WHERE id = 1;');
        await upTo(test, 'seed', 'migrate');
        expect(await failure(test.verb('verify'))).toMatchObject({
          id: 'data-differs',
          seen: expect.stringMatching(/public\.limits.*own statements.*0001_slow\.sql:2: UPDATE limits/s),
          next: expect.not.stringMatching(/somebody else/),
        });
      });
    });
  },
);

test(
  'an UPDATE whose trigger changes an old column waits too; a block that mixes DDL and rows, and a row that meets a key, are refused',
  { timeout },
  async () => {
    const trigger = 'CREATE TRIGGER touch BEFORE UPDATE ON limits FOR EACH ROW EXECUTE FUNCTION touch(); ';
    await withFolder(
      { '0001_note.sql': "ALTER TABLE limits ADD COLUMN note text;\nUPDATE limits SET note = 'x';" },
      async (folder, write) => {
        const fill = async (client: Client) => void (await client.query(tables + trigger));
        await withEnvironment({ migrations: folder, fill }, async (test) => {
          await upTo(test, 'seed', 'migrate');
          expect(
            await test.on('green', (client) => rows(client, 'SELECT FROM limits WHERE touched IS NOT NULL')),
          ).toEqual([]);
          await test.verb('abandon');
          await write('0001_note.sql', 'DO $$ BEGIN CREATE TABLE x (); UPDATE limits SET per_day = 3; END $$;');
          expect(await failure(test.verb('seed'))).toMatchObject({
            id: 'data-statement-mixed',
            seen: expect.stringMatching(/0001_note\.sql:1: DO .*public\.limits/),
          });
          await write(
            '0001_note.sql',
            'DO $$ BEGIN ALTER TABLE limits ADD COLUMN note text; UPDATE limits SET note = id; END $$;',
          );
          expect(await failure(test.verb('seed'))).toMatchObject({
            id: 'data-statement-mixed',
            seen: expect.stringContaining('the rows of public.limits, which the live colour still writes'),
          });
          await write('0001_note.sql', 'ALTER TABLE limits ALTER per_day TYPE bigint USING per_day * 100;');
          expect(await failure(test.verb('seed'))).toMatchObject({
            id: 'data-statement-mixed',
            seen: expect.stringContaining('its USING makes other values of per_day'),
          });
          await write('0001_note.sql', "SELECT 1;\nINSERT INTO plan VALUES ('free');");
          await upTo(test, 'seed');
          expect(await failure(test.verb('migrate'))).toMatchObject({
            id: 'data-statement-failed',
            seen: expect.stringMatching(/0001_note\.sql:2: INSERT INTO plan.*duplicate key/),
          });
        });
      },
    );
  },
);

test(
  'a tool that changes rows both colours have is refused at migrate, by table and rows, and passes once it ran on the live colour; new columns alone are none',
  { timeout },
  async () => {
    const run = (transactions: readonly string[]) =>
      `#!/bin/sh\nexec psql -X -q -v ON_ERROR_STOP=1${transactions.map((sql) => ` -c "${sql}"`).join('')}\n`;
    await withFolder({}, async (folder) => {
      const file = path.join(folder, 'run.sh');
      const write = (...transactions: string[]) => writeFile(file, run(transactions), { mode: 0o755 });
      const colours = {
        blue: { release: '1', postgres: testMajor },
        green: { release: '2', postgres: testMajor, migrations: folder, engine: { command: ['./run.sh'] } },
      };
      await withEnvironment(options(folder, { colours }), async (test) => {
        await write(
          "ALTER TABLE limits ADD COLUMN note text; UPDATE limits SET note = 'x'; CREATE TABLE t (id int); INSERT INTO t VALUES (1)",
        );
        await upTo(test, 'seed');
        await test.on('blue', (client) => client.query('UPDATE limits SET per_day = 9 WHERE id = 1'));
        await upTo(test, 'migrate');
        expect(
          await test.on('green', (client) =>
            rows(client, "SELECT FROM pg_replication_slots WHERE slot_name LIKE '%tool'"),
          ),
        ).toEqual([]);
        await test.verb('abandon');
        await write(
          'CREATE TABLE IF NOT EXISTS knex_migrations (id serial, name text, batch int, migration_time timestamptz)',
          "INSERT INTO knex_migrations (name) VALUES ('0001_nothing.js')",
          "UPDATE limits SET per_day = 3 WHERE per_day = 1; INSERT INTO knex_migrations (name) VALUES ('0002_per_day.js')",
          "INSERT INTO plan VALUES ('pro') ON CONFLICT DO NOTHING",
          "INSERT INTO knex_migrations (name) VALUES ('0003_pro.js')",
          "INSERT INTO knex_migrations (name) VALUES ('0004_after.js')",
        );
        await upTo(test, 'seed');
        for (const _ of ['first', 'again'])
          expect(await failure(test.verb('migrate'))).toMatchObject({
            id: 'tool-wrote-rows',
            seen: expect.stringMatching(
              /\.\/run\.sh .*UPDATE limits \(3 rows\) by 0002_per_day\.js; INSERT INTO plan \(1 row\) by 0003_pro\.js/,
            ),
          });
        await test.verb('abandon');
        const { host, port, user } = await test.platform.servers.connection('blue');
        await execa(file, { env: { PGHOST: host, PGPORT: String(port), PGUSER: user, PGDATABASE: 'shop' } });
        await upTo(test, 'seed', 'migrate', 'verify');
      });
    });
  },
);

test(
  'what is new is filled from rows that the live release goes on writing: a column on their way in, a table at the switchover; plan says so beforehand',
  { timeout },
  async () => {
    const files = {
      '0001_fill.sql': `ALTER TABLE plan ADD COLUMN title text;
        UPDATE plan SET title = initcap(code) WHERE title IS NULL;
        CREATE TABLE offer (title text PRIMARY KEY);
        INSERT INTO offer SELECT upper(code) FROM plan;
        CREATE TABLE fixed (id int PRIMARY KEY);
        INSERT INTO fixed VALUES (1);
        CREATE TABLE made AS SELECT code FROM plan;
        ALTER TABLE made ADD PRIMARY KEY (code);`,
    };
    await withFolder(files, async (folder) => {
      await withEnvironment(options(folder, { roles: owned }), async (test) => {
        const signal = new AbortController().signal;
        const planned = await plannedFiles({ environment: test.environment, platform: test.platform, signal });
        expect(planned.data?.map(({ source, place }) => `${source.split(':')[1]} ${place}`)).toEqual([
          '2 candidate',
          '4 switch',
          '6 candidate',
          '7 switch',
        ]);
        expect(planned.shapes).toEqual([]);
        await upTo(test, 'seed', 'migrate', 'verify');
        await test.on('blue', (client) => client.query("INSERT INTO plan VALUES ('pro')"));
        await upTo(test, 'switch');
        expect(await test.on('green', (client) => rows(client, 'SELECT title FROM plan ORDER BY 1'))).toEqual([
          { title: 'Free' },
          { title: 'Old' },
          { title: 'Pro' },
        ]);
        expect(await test.on('green', (client) => rows(client, 'SELECT code FROM made'))).toHaveLength(3);
        expect(await test.on('green', (client) => rows(client, 'SELECT title FROM offer ORDER BY 1'))).toEqual([
          { title: 'FREE' },
          { title: 'OLD' },
          { title: 'PRO' },
        ]);
      });
    });
  },
);
