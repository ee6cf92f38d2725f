import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { withOperator } from '../../src/operations/operator.ts';
import { drill } from '../../src/operations/proofs/drill.ts';
import { rehearse } from '../../src/operations/proofs/rehearse.ts';
import { cloneLocal } from '../../src/platform/local/lifecycle/clone.ts';
import { rows } from '../../src/postgres/client.ts';
import { importLost } from '../../src/postgres/import-lost.ts';
import { lostRowSchema } from '../../src/postgres/lost-rows.ts';
import { killServer } from '../faults/support.ts';
import { withEnvironment } from '../support/environment.ts';
import { temporaryFolder, testMajor } from '../support/postgres.ts';
import { rotate } from '../support/rotate.ts';
import { expectListed, expectNoneBecame, expectNoSuperuser, keepingLogs, logOf, role, settings } from './traps-seen.ts';
import { layTraps, sprung } from './traps.ts';

test('no trap of who may CREATE everything runs as superuser by rotate, drill, rehearse, a lossy rollback, import-lost and retire', async () => {
  await withEnvironment({ settings }, async (environment) => {
    const { verb, on, platform, events } = environment;
    await on('blue', async (client) => {
      await layTraps(client, role);
      // The application itself is to work beside them.
      for (const each of [role, 'shop_reader'])
        await client.query(`ALTER ROLE ${each} IN DATABASE shop SET search_path = pg_catalog`);
    });
    const begin = (await logOf(environment, 'blue')).length;
    const kept = await keepingLogs(environment);
    const parts = {
      ...{ environment: environment.environment, platform, signal: new AbortController().signal },
      emit: (event: (typeof events)[number]) => void events.push(event),
    };
    try {
      await rotate(environment, role);
      await drill(parts);
      const { signal } = parts;
      await rehearse(parts, (of) => cloneLocal(of, platform, signal), { clients: 2, rate: 50, warmUp: 500 });
      for (const each of ['seed', 'migrate', 'verify', 'switch'] as const) await verb(each);
      // Its own `=` is true of every row.
      await on('green', (client) =>
        client.query(`SET search_path = pg_catalog; SET SESSION AUTHORIZATION ${role};
          INSERT INTO public.prey (id, value, boxed) VALUES (900, 9, ROW('lost')::public.boxed);
          UPDATE public.prey SET value = 77 WHERE id = 3; DELETE FROM public.prey WHERE id = 4; RESET SESSION AUTHORIZATION`),
      );
      await killServer(environment, 'blue');
      await rm(platform.places.server('blue', 1), { recursive: true });
      await verb('rollback', { lossy: true, acceptLoss: true });
      const exported = (await readdir(platform.places.exports)).find((name) => name.endsWith('.jsonl')) ?? '';
      const file = path.join(platform.places.exports, exported);
      const lost = (await readFile(file, 'utf8'))
        .trim()
        .split('\n')
        .map((line) => lostRowSchema.parse(JSON.parse(line)));
      expect(
        new Set(lost.map(({ table, kind, row, before }) => `${kind} ${table} ${(row ?? before)?.['id']}`)),
      ).toEqual(new Set(['inserted public.prey 900', 'updated public.prey 3', 'deleted public.prey 4']));
      const done = await withOperator(parts, 'recover', (c) =>
        c.asWriter(c.live, (client) => importLost(client, file)),
      );
      expect(done.rows).toBe(3);
      for (const each of ['seed', 'migrate', 'verify', 'switch'] as const) await verb(each);
    } finally {
      kept.stop();
    }
    const logs = await kept.read();
    expect(Object.keys(logs).filter((name) => name.startsWith('drill-')).length).toBeGreaterThan(2);
    const told = Object.entries(logs)
      .map(([name, text]) => (name === 'shop-blue-1' ? text.slice(begin) : text))
      .join('\n');
    expectNoSuperuser(told);
    await expectListed(told);
    await expectNoneBecame(environment, ['green']);
  });
});

/** SQL that calls no function and no operator: whatever trap is stepped into, no statement of the user's did. */
const files = {
  '0001_fresh.sql':
    'CREATE TABLE public.fresh (id int PRIMARY KEY);\nALTER TABLE public.plain ADD COLUMN extra text, ADD COLUMN more text;\n',
  '0002_extra.backfill.yaml': "table: public.plain\nset: extra = 'y'\nwhere: extra IS NULL\nbatch: { rows: 7 }\n",
  '0003_rows.sql':
    "UPDATE public.plain SET more = 'z';\nUPDATE public.plain SET note = 'x';\nUPDATE public.plain SET note = 'again';\n",
  '0004_apart.sql':
    "-- verdigris: no-transaction\nCREATE INDEX CONCURRENTLY plain_note ON public.plain (note);\nUPDATE public.plain SET note = 'last';\n",
  'repeatable/few.sql': 'CREATE OR REPLACE VIEW public.few AS SELECT id FROM public.plain;\n',
};

test.each([
  { who: 'a superuser, as nobody else may change everything', owner: undefined },
  { who: 'their owner, who is somebody else', owner: 'shop_owner' },
])('nor with more rights than its own where migrations run as $who', async ({ owner }) => {
  const migrations = await temporaryFolder();
  await mkdir(path.join(migrations, 'repeatable'));
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(migrations, name), text);
  const roles = { application: ['shop_app'], readers: ['shop_reader'], ...(owner ? { owner } : {}) };
  await withEnvironment({ settings, migrations, declaration: { roles } }, async (environment) => {
    const { verb, on } = environment;
    await on('blue', async (client) => {
      await layTraps(client, role);
      // A tool's history would have engine sql refused.
      await client.query(
        `DROP TABLE public.alembic_version; CREATE ROLE other; CREATE TABLE public.theirs (id int PRIMARY KEY);
        ALTER TABLE public.theirs OWNER TO other; CREATE TABLE public.plain (id int PRIMARY KEY, note text);
        INSERT INTO public.plain SELECT generate_series(1, 20); GRANT ALL ON SCHEMA public TO ${owner ?? 'other'};
        ALTER TABLE public.plain OWNER TO ${owner ?? 'other'}`,
      );
    });
    const begin = (await logOf(environment, 'blue')).length;
    for (const each of ['seed', 'migrate', 'verify', 'switch', 'rollback', 'verify', 'switch'] as const)
      await verb(each);
    const told = (await logOf(environment, 'blue')).slice(begin) + (await logOf(environment, 'green'));
    const runner = owner === undefined ? 'verdigris_operator' : 'verdigris_migration';
    expect(told).toMatch(new RegExp(`^${runner} \\S+: LOG: .*CREATE TABLE public.fresh`, 'm'));
    expectNoSuperuser(told);
    const asOwner = [...told.matchAll(sprung)].filter(([, , as]) => /^(shop_owner|verdigris_migration)/.test(as ?? ''));
    expect(asOwner).toEqual([]);
    await expectNoneBecame(environment, ['blue', 'green']);
    expect(await on('green', (client) => rows(client, 'SELECT DISTINCT note, extra, more FROM public.plain'))).toEqual([
      { note: 'last', extra: 'y', more: 'z' },
    ]);
  });
  await rm(migrations, { recursive: true });
});

test("nor by a table that has the name and the columns of a tool's history", async () => {
  const migrations = await temporaryFolder();
  await writeFile(
    path.join(migrations, '00001_fresh.sql'),
    '-- +goose Up\nCREATE TABLE public.fresh (id int PRIMARY KEY);\n',
  );
  const declaration = {
    roles: { application: ['shop_app'], readers: ['shop_reader'], owner: 'shop_owner' },
    colours: {
      blue: { release: '1', postgres: testMajor },
      green: { release: '2', postgres: testMajor, migrations, engine: 'goose' },
    },
  };
  await withEnvironment({ settings, declaration }, async (environment) => {
    const { verb, on } = environment;
    await on('blue', async (client) => {
      await layTraps(client, role);
      await client.query(`DROP TABLE public.alembic_version; GRANT ALL ON SCHEMA public TO shop_owner; SET SESSION AUTHORIZATION ${role};
        CREATE TABLE public.goose_db_version (id serial PRIMARY KEY, version_id bigint NOT NULL, is_applied bool NOT NULL,
          tstamp timestamp DEFAULT pg_catalog.now());
        CREATE INDEX ON public.goose_db_version ((CASE WHEN public.trap('goose index') THEN 1 ELSE 0 END));
        CREATE TRIGGER goose AFTER INSERT ON public.goose_db_version FOR EACH ROW EXECUTE FUNCTION public.trap_row();
        INSERT INTO public.goose_db_version (version_id, is_applied) VALUES (0, true);
        GRANT ALL ON public.goose_db_version, public.goose_db_version_id_seq TO shop_owner; RESET SESSION AUTHORIZATION`);
    });
    const begin = (await logOf(environment, 'blue')).length;
    for (const each of ['seed', 'migrate', 'verify', 'switch'] as const) await verb(each);
    const told = (await logOf(environment, 'blue')).slice(begin) + (await logOf(environment, 'green'));
    expect([...told.matchAll(sprung)].map(([, name, as]) => [name, as])).toContainEqual([
      'goose index',
      'verdigris_reader',
    ]);
    expectNoSuperuser(told);
    await expectNoneBecame(environment, ['green']);
  });
  await rm(migrations, { recursive: true });
});
