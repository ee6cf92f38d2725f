import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { runsUnseenCode } from '../../../src/router/client/unseen.ts';
import { colourOf, Pair, TestRouter, writer, type TestClient } from '../../support/router.ts';
import { until } from '../../support/until.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await Pair.start();
  for (const colour of ['blue', 'green'] as const)
    await pair.on(colour, (client) =>
      client.query(`
        CREATE FUNCTION public.tenant(name text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('app.tenant', name, false); END $$;
        CREATE FUNCTION public.tune() RETURNS void LANGUAGE plpgsql AS $$ BEGIN SET work_mem = '15MB'; RESET statement_timeout; END $$;
        CREATE FUNCTION public.become_leader() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_lock(7); END $$;
        CREATE FUNCTION public.scratch() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CREATE TEMP TABLE scratch_t (id int); END $$;
        CREATE TABLE public.noted (id int);
        CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('app.noted', NEW.id::text, false); RETURN NEW; END $$;
        CREATE TRIGGER note BEFORE INSERT ON public.noted FOR EACH ROW EXECUTE FUNCTION public.note();
        CREATE VIEW public.entered AS SELECT set_config('work_mem', '17MB', false) AS x;
        GRANT ALL ON public.noted, public.entered TO PUBLIC;
        CREATE FUNCTION public.hear() RETURNS void LANGUAGE plpgsql AS $$ BEGIN LISTEN unseen; END $$`),
    );
});
beforeEach(() => Promise.all([pair.open('blue'), pair.open('green')]));
afterAll(() => pair[Symbol.asyncDispose]());

const show = async (client: TestClient, name: string) =>
  (await client.query<{ is: string }>('SELECT current_setting($1) AS is', [name])).rows[0]?.is;

const settings: [sql: string, name: string, value: string][] = [
  ["DO $$ BEGIN SET work_mem = '15MB'; END $$", 'work_mem', '15MB'],
  ["DO $$ BEGIN SET app.tenant = 'it''s \\ 7'; END $$", 'app.tenant', "it's \\ 7"],
  ["SET statement_timeout = '9s'; SELECT tune()", 'work_mem', '15MB'],
  ["SET statement_timeout = '9s'; SELECT tune()", 'statement_timeout', '0'],
  ["SELECT public.tenant('seven')", 'app.tenant', 'seven'],
  ["SELECT set_config('jit', 'off', false)", 'jit', 'off'],
  ["SELECT set_config('TimeZone', 'Europe/Lisbon', false)", 'TimeZone', 'Europe/Lisbon'],
  ["SELECT set_config('app.tenant', 'direct', false)", 'app.tenant', 'direct'],
  [
    "BEGIN; SELECT public.tenant('kept'); COMMIT; BEGIN; SELECT public.tenant('undone'); ROLLBACK",
    'app.tenant',
    'kept',
  ],
];
test.for(settings)('the session keeps what %s set: %s', async ([sql, name, value]) => {
  await using router = await TestRouter.start(pair);
  const client = await router.connect();
  await client.query(sql);
  await router.switchTo(pair, 'green', 1);
  expect(await colourOf(client)).toBe('green');
  expect(await show(client, name)).toBe(value);
  await router.switchTo(pair, 'blue', 2);
  expect(await show(client, name)).toBe(value);
  await client.end();
});

test.for([
  ['INSERT INTO public.noted VALUES (7)', 'app.noted', '7'],
  ['SELECT * FROM public.entered', 'work_mem', '17MB'],
])('told that any statement may, it keeps what a trigger or view set: %s', async ([sql = '', name = '', value]) => {
  await using router = await TestRouter.start(pair);
  const before = await router.connect();
  await before.query(sql);
  await router.control.unseen(1, true);
  const after = await router.connect();
  await after.query({ text: sql, values: [] });
  await router.switchTo(pair, 'green', 2);
  for (const client of [before, after]) {
    expect(await colourOf(client)).toBe('green');
    expect(await show(client, name)).toBe(value);
    await client.end();
  }
});

test.for([
  ['SELECT become_leader()', 'advisory lock'],
  ['SELECT scratch()', 'temporary table'],
])('%s cannot go along: the session is cut, and status says why beforehand', async ([sql, pin]) => {
  await using router = await TestRouter.start(pair);
  const client = await router.connect();
  await client.query(sql as string);
  await until('the session looked at', async () =>
    (await router.control.status()).pinned[0]?.pins.includes(pin as string),
  );
  await router.switchTo(pair, 'green', 1);
  await expect(colourOf(client)).rejects.toThrow();
  await client.end();
});

test('a lock that was given back pins nobody any more', async () => {
  await using router = await TestRouter.start(pair);
  const client = await router.connect();
  await client.query('SELECT become_leader()');
  await until('pinned', async () => (await router.control.status()).pinnedCount === 1);
  await client.query('SELECT pg_advisory_unlock(7)');
  await until('free', async () => (await router.control.status()).pinnedCount === 0);
  await router.switchTo(pair, 'green', 1);
  expect(await colourOf(client)).toBe('green');
  await client.end();
});

test('the question leaves the unnamed statement of the client alone', async () => {
  await using router = await TestRouter.start(pair);
  const client = await router.connect();
  const named = { name: 'n', text: 'SELECT tune(), $1::int AS n' };
  expect((await client.query({ ...named, values: [1] })).rows[0]).toMatchObject({ n: 1 });
  await router.switchTo(pair, 'green', 1);
  expect((await client.query({ ...named, values: [2] })).rows[0]).toMatchObject({ n: 2 });
  await client.end();
});

test('whoever only listens hears again after a switchover and back, in every database, without sending anything', async () => {
  await using router = await TestRouter.start(pair);
  const elsewhere = { database: 'postgres' };
  const [listener, byFunction, idle, other, teller] = await Promise.all([
    router.connect(),
    router.connect(),
    router.connect(),
    router.connect(writer, elsewhere),
    router.connect(writer, elsewhere),
  ]);
  const heard = new Set<string>();
  for (const client of [listener, byFunction])
    client.on('notification', ({ channel, payload }) => heard.add(`${channel} ${payload}`));
  other.on('notification', ({ channel, payload }) => heard.add(`elsewhere ${channel} ${payload}`));
  for (const client of [listener, other]) await client.query('LISTEN jobs');
  await byFunction.query('SELECT hear()');
  await idle.query('SELECT 1');
  for (const [token, colour] of [
    [1, 'green'],
    [2, 'blue'],
  ] as const) {
    await router.switchTo(pair, colour, token);
    await until(`all listen on ${colour}`, async () => {
      await pair.on(colour, (client) => client.query(`NOTIFY jobs, '${colour}'; NOTIFY unseen, '${colour}'`));
      await teller.query(`NOTIFY jobs, '${colour}'`);
      return [`jobs ${colour}`, `unseen ${colour}`, `elsewhere jobs ${colour}`].every((each) => heard.has(each));
    });
    // Of two databases nobody hears what is said in the other.
    expect(heard.size).toBe(3 * token);
  }
  expect((await router.control.status()).sessions.blue.detached).toBe(1);
  await Promise.all([listener, byFunction, idle, other, teller].map((client) => client.end()));
});

test('options and search_path of a connection string are kept, also behind a switchover', async () => {
  await using router = await TestRouter.start(pair);
  const client = await router.connect(writer, { options: '-c search_path=tenant_7 -c statement_timeout=5s' });
  for (const to of ['green', 'blue'] as const) {
    expect(await show(client, 'search_path')).toBe('tenant_7');
    expect(await show(client, 'statement_timeout')).toBe('5s');
    await router.switchTo(pair, to, to === 'green' ? 1 : 2);
  }
  expect(await show(client, 'search_path')).toBe('tenant_7');
  await client.end();
});

test('ordinary statements cost no question to the server', () => {
  for (const sql of [
    'SELECT count(*), max(id) FROM t WHERE id IN (1, 2) AND (a OR b)',
    'INSERT INTO public."Order" (id, at) VALUES ($1, now()) ON CONFLICT (id) DO UPDATE SET at = excluded.at RETURNING id',
    'WITH x (a) AS (SELECT 1) SELECT coalesce(a, 0) FROM x JOIN y USING (a) ORDER BY (a)',
    "SELECT current_setting('port'), pg_catalog.lower('X'), numeric(3, 2) '1'",
    'UPDATE t SET a = nextval($1)',
    'SELECT setting FROM pg_settings',
    "SELECT 'f(1)', $a$ f(1) $a$ /* f(1) */ -- f(1)",
  ])
    expect([sql, runsUnseenCode(sql)]).toEqual([sql, false]);
  for (const sql of [
    'DO $$ BEGIN END $$',
    '/* x */ CALL p()',
    'SELECT f()',
    'SELECT a.count(1)',
    'select "F" (1)',
    'EXECUTE x',
    "UPDATE pg_catalog.pg_settings SET setting = 'x' WHERE name = 'TimeZone'",
  ])
    expect([sql, runsUnseenCode(sql)]).toEqual([sql, true]);
});
