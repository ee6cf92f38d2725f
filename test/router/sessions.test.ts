import { once } from 'node:events';
import { connect } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { operatorRole } from '../../src/model/names.ts';
import { colourOf, Pair, reader, TestRouter, writer } from '../support/router.ts';
import { until } from '../support/until.ts';

let pair: Pair;
beforeAll(async () => void (pair = await Pair.start()));
beforeEach(() => Promise.all([pair.open('blue'), pair.open('green')]));
afterAll(() => pair[Symbol.asyncDispose]());

test('PostgreSQL itself decides about passwords', async () => {
  await using router = await TestRouter.start(pair);
  const client = await router.connect();
  expect((await client.query('SELECT session_user AS who')).rows).toEqual([{ who: 'app' }]);
  await client.end();
  await expect(router.connect({ ...writer, password: 'wrong' })).rejects.toMatchObject({ code: '28P01' });
  await expect(router.connect({ user: 'nobody-here', password: 'x' })).rejects.toMatchObject({ code: '28P01' });
  await expect(router.connect(writer, { database: 'nothing' })).rejects.toMatchObject({ code: '3D000' });
  await until('no session left', async () =>
    Object.values((await router.control.status()).sessions.blue).every((count) => count === 0),
  );
});

test('an idle client does not notice that its server was exchanged', async () => {
  await using router = await TestRouter.start(pair);
  const client = await router.connect();
  expect(await colourOf(client)).toBe('blue');
  await router.switchTo(pair, 'green', 1);
  expect(await colourOf(client)).toBe('green');
  await router.switchTo(pair, 'blue', 2);
  expect(await colourOf(client)).toBe('blue');
  expect(client.ended).toBe(false);
  expect((await router.control.status()).moves).toBe(2);
  await client.end();
});

test('an idle client survives termination on the same colour', async () => {
  await using router = await TestRouter.start(pair);
  const clients = await Promise.all([router.connect(), router.connect(reader)]);
  await pair.terminate('blue');
  for (const client of clients) expect(await colourOf(client)).toBe('blue');
  await Promise.all(clients.map((client) => client.end()));
});

test('prepared statements, settings and channels go along; what was rolled back does not', async () => {
  await using router = await TestRouter.start(pair);
  const client = await router.connect();
  const heard: string[] = [];
  client.on('notification', ({ payload }) => heard.push(payload ?? ''));
  const named = () =>
    client.query<{ n: number; colour: string }>({
      name: 'which',
      text: 'SELECT $1::int AS n, colour FROM me',
      values: [7],
    });
  expect((await named()).rows).toEqual([{ n: 7, colour: 'blue' }]);
  await client.query('LISTEN "Ünit"; LISTEN gone; UNLISTEN gone');
  await client.query("SET search_path TO 'a;b', public; SET /* of this session */ statement_timeout = '11s'");
  await client.query(
    "SELECT $$ ; SET app.never = 'y'; $$; SET TIME ZONE 'Asia/Tokyo'; SET app.tenant = 'it''s;me'; RESET statement_timeout",
  );
  await client.query('BEGIN');
  await client.query("SET lock_timeout = '1s'; SET LOCAL work_mem = '1MB'; SAVEPOINT one; SET app.tenant = 'lost'");
  await client.query('ROLLBACK TO SAVEPOINT one');
  await client.query("SET idle_session_timeout = '1h'; RELEASE one");
  await client.query('COMMIT');
  await client.query("BEGIN; SET deadlock_timeout_never.x = 'no'; LISTEN never; ROLLBACK");
  await expect(client.query("SET app.never = 'x'; SELECT 1/0")).rejects.toMatchObject({ code: '22012' });
  // oxlint-disable-next-line typescript/await-thenable -- the cast hides that a query's promise comes back
  await client.query({ text: "SET app.extended = 'yes'", values: [], queryMode: 'extended' } as never);
  await client.query('PREPARE plus (int) AS SELECT $1 + 1 AS sum; PREPARE dropped AS SELECT 1; DEALLOCATE dropped');
  await router.switchTo(pair, 'green', 1);

  expect((await named()).rows).toEqual([{ n: 7, colour: 'green' }]);
  expect((await client.query('EXECUTE plus (41)')).rows).toEqual([{ sum: 42 }]);
  const settings = [
    'search_path',
    'statement_timeout',
    'timezone',
    'app.tenant',
    'lock_timeout',
    'work_mem',
    'idle_session_timeout',
    'app.extended',
    'app.never',
    'deadlock_timeout_never.x',
  ];
  const now: Record<string, string | null> = {};
  for (const name of settings)
    now[name] = (
      (await client.query<{ value: string | null }>('SELECT current_setting($1, true) AS value', [name])).rows[0] as {
        value: string | null;
      }
    ).value;
  expect(now).toEqual({
    search_path: '"a;b", public',
    statement_timeout: '0',
    timezone: 'Asia/Tokyo',
    'app.tenant': "it's;me",
    lock_timeout: '1s',
    work_mem: '4MB',
    idle_session_timeout: '1h',
    'app.extended': 'yes',
    'app.never': null,
    'deadlock_timeout_never.x': null,
  });
  expect(
    (await client.query("SELECT string_agg(name, ',' ORDER BY name) AS names FROM pg_prepared_statements")).rows,
  ).toEqual([{ names: 'plus,which' }]);
  expect((await client.query('SELECT pg_listening_channels() AS channel')).rows).toEqual([{ channel: 'Ünit' }]);
  await pair.on('green', (other) => other.query(`NOTIFY "Ünit", 'over there'`));
  await until('the notification', () => heard.includes('over there'));

  await client.query('DISCARD ALL');
  await router.switchTo(pair, 'blue', 2);
  expect((await client.query('SELECT count(*)::int AS n FROM pg_prepared_statements')).rows).toEqual([{ n: 0 }]);
  expect((await client.query('SHOW search_path')).rows).toEqual([{ search_path: '"$user", public' }]);
  await client.end();
});

test('the client hears of a parameter that differs on the new server', async () => {
  await using router = await TestRouter.start(pair);
  const client = await router.connect();
  const heard: [string, string][] = [];
  (
    client as unknown as {
      connection: {
        on(event: string, heard: (message: { parameterName: string; parameterValue: string }) => void): void;
      };
    }
  ).connection.on('parameterStatus', ({ parameterName, parameterValue }) =>
    heard.push([parameterName, parameterValue]),
  );
  await pair.on('green', (other) => other.query("ALTER ROLE app SET TimeZone = 'Asia/Kolkata'"));
  await router.switchTo(pair, 'green', 1);
  expect((await client.query('SHOW timezone')).rows).toEqual([{ TimeZone: 'Asia/Kolkata' }]);
  expect(heard).toEqual([['TimeZone', 'Asia/Kolkata']]);
  await pair.on('green', (other) => other.query('ALTER ROLE app RESET TimeZone'));
  await client.end();
});

test('a setting that cannot be made again ends the session with a reason, a prepared statement does not', async () => {
  await using router = await TestRouter.start(pair);
  await pair.on('blue', (other) =>
    other.query(
      'CREATE ROLE only_blue; GRANT only_blue TO app; CREATE TABLE only_here (a int); GRANT SELECT ON only_here TO app, only_blue',
    ),
  );
  const [client, other] = [await router.connect(), await router.connect()];
  await client.query({ name: 'here', text: 'SELECT count(*) FROM only_here' });
  await other.query('SET ROLE only_blue');
  await router.switchTo(pair, 'green', 1);
  expect(await colourOf(client)).toBe('green');
  await expect(client.query({ name: 'here', text: 'SELECT count(*) FROM only_here' })).rejects.toMatchObject({
    code: '26000',
  });
  await expect(other.query('SELECT 1')).rejects.toMatchObject({
    code: '57P01',
    message: expect.stringMatching(/could not be carried over to green: SET ROLE only_blue/) as string,
  });
  expect(await router.log()).toContain('prepared statement \\"here\\"');
  await router.switchTo(pair, 'blue', 2);
  await pair.on('blue', (each) => each.query('DROP TABLE only_here; DROP ROLE only_blue'));
  await client.end();
});

test.for([
  ['CREATE TEMP TABLE t (a int)', 'temporary table'],
  ['SELECT 1 AS a INTO TEMPORARY t', 'temporary table'],
  ['BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; COMMIT', 'cursor with hold'],
  ['SELECT pg_advisory_lock(1)', 'advisory lock'],
  ["SELECT set_config('app.' || 'x', 'y', false)", 'set_config'],
] as const)('a session is pinned by: %s', async ([sql, pin]) => {
  await using router = await TestRouter.start(pair);
  const client = await router.connect(writer, { application_name: 'cart' });
  await client.query(sql);
  const { pinned, pinnedCount } = await router.control.status();
  expect(pinned.map(({ user, applicationName, pins }) => ({ user, applicationName, pins }))).toEqual([
    { user: 'app', applicationName: 'cart', pins: [pin] },
  ]);
  expect(pinnedCount).toBe(1);
  await pair.terminate('blue');
  await until('the client was told', () => client.ended);
  expect(client.errors[0]).toMatchObject({ code: '57P01' });
});

test.for([
  "SELECT set_config('app.x', 'a,b(', true)",
  'BEGIN; CREATE TEMP TABLE t (a int) ON COMMIT DROP; COMMIT',
  'BEGIN; CREATE TEMP TABLE t (a int); ROLLBACK',
  'SELECT pg_advisory_xact_lock(1)',
  'CREATE TEMP TABLE t (a int); DISCARD TEMP',
  'SELECT pg_advisory_lock(1); SELECT pg_advisory_unlock_all()',
])('a session is not pinned by: %s', async (sql) => {
  await using router = await TestRouter.start(pair);
  const client = await router.connect();
  for (const each of sql.includes('DISCARD') ? sql.split('; ') : [sql]) await client.query(each);
  expect((await router.control.status()).pinned).toEqual([]);
  await pair.terminate('blue');
  expect(await colourOf(client)).toBe('blue');
  await client.end();
});

test('a writer that is pinned does not stay on the old colour, even without a fence', async () => {
  await using router = await TestRouter.start(pair);
  const client = await router.connect();
  await client.query('CREATE TEMP TABLE t (a int)');
  await router.control.route(1, 'green', { blue: 0, green: 100 });
  await expect(client.query("INSERT INTO writes VALUES ('strayed')")).rejects.toMatchObject({
    code: '57P01',
    message: expect.stringMatching(/blue is no longer live/) as string,
  });
  expect(
    await pair.on('blue', async (other) => (await other.query("SELECT 1 FROM writes WHERE id = 'strayed'")).rowCount),
  ).toBe(0);
});

test("a transaction whose server goes ends with the server's own error", async () => {
  await using router = await TestRouter.start(pair);
  const client = await router.connect();
  await client.query("BEGIN; INSERT INTO writes VALUES ('half')");
  await pair.terminate('blue');
  await until('the client was told', () => client.ended);
  expect(client.errors[0]).toMatchObject({ code: '57P01' });
});

test('a statement is cancelled, before a move and after it', async () => {
  await using router = await TestRouter.start(pair);
  const client = await router.connect();
  const cancelled = async (colour: 'blue' | 'green') => {
    const failed = expect(client.query('SELECT pg_sleep(60)')).rejects.toMatchObject({ code: '57014' });
    await until('the statement runs', () =>
      pair.on(
        colour,
        async (other) =>
          (
            await other.query(
              "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)' AND state = 'active' AND usename = 'app'",
            )
          ).rowCount === 1,
      ),
    );
    const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
    const request = Buffer.alloc(16);
    [16, 80877102, processID, secretKey].forEach((word, at) => request.writeInt32BE(word, 4 * at));
    const socket = connect(router.port, '127.0.0.1', () => socket.write(request));
    await once(socket, 'close');
    await failed;
  };
  await cancelled('blue');
  await router.switchTo(pair, 'green', 1);
  await cancelled('green');
  await router.switchTo(pair, 'blue', 2);
  await client.end();
});

test('the operator comes in past a hold, without a password', async () => {
  await using router = await TestRouter.start(pair);
  await router.control.hold(1, 1_000, 10_000);
  const client = new pg.Client({ host: router.folder, port: router.port, user: operatorRole, database: 'shop' });
  await client.connect();
  expect(await colourOf(client)).toBe('blue');
  await router.control.route(1, 'green', { blue: 0, green: 1 });
  expect(await colourOf(client)).toBe('green');
  await client.end();
});
