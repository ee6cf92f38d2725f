import { setImmediate as turn } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { query, sync } from '../../src/wire/messages.ts';
import { startServer, stopServer } from '../../src/platform/local/server.ts';
import { colourOf, extended, Pair, reader, TestClient, TestRouter, Wire, writer } from '../support/router.ts';
import { until } from '../support/until.ts';

let pair: Pair;
beforeAll(async () => void (pair = await Pair.start()));
// Without what came before: a test that is tried again would meet its own keys.
beforeEach(() =>
  Promise.all(
    (['blue', 'green'] as const).map(async (colour) => {
      await pair.open(colour);
      await pair.on(colour, (operator) => operator.query('DELETE FROM writes'));
    }),
  ),
);
afterAll(() => pair[Symbol.asyncDispose]());

/** Where each write stands. */
async function stored(): Promise<Map<string, number>> {
  const times = new Map<string, number>();
  for (const colour of ['blue', 'green'] as const) {
    const { rows } = await pair.on(colour, (client) => client.query<{ id: string }>('SELECT id FROM writes'));
    for (const { id } of rows) times.set(id, (times.get(id) ?? 0) + 1);
  }
  return times;
}

test('no statement fails and none is done twice while clients of every kind write through switchovers', async () => {
  await using router = await TestRouter.start(pair);
  const acknowledged: string[] = [];
  const failures: unknown[] = [];
  let going = true;
  const run = async (name: string, work: (id: string) => Promise<void>) => {
    for (let n = 0; going; n++) {
      const id = `${name}/${n}`;
      try {
        await work(id);
        acknowledged.push(id);
      } catch (error) {
        failures.push([id, error]);
      }
      await turn();
    }
  };
  const pool = new pg.Pool({ ...router.settings(), max: 3, idleTimeoutMillis: 40 });
  pool.on('error', (error) => failures.push(['pool', error]));
  const clients = await Promise.all(Array.from({ length: 9 }, () => router.connect()));
  const [a, b, c, d, e, f, g, h, i] = clients as unknown as [
    pg.Client,
    pg.Client,
    pg.Client,
    pg.Client,
    pg.Client,
    pg.Client,
    pg.Client,
    pg.Client,
    pg.Client,
  ];
  const insert = 'INSERT INTO writes (id) VALUES ($1)';
  const simple = (client: pg.Client) => async (id: string) =>
    void (await client.query(`INSERT INTO writes (id) VALUES ('${id}')`));
  const transaction = (client: pg.Client) => async (id: string) => {
    await client.query('BEGIN');
    await client.query(insert, [id]);
    await client.query('SELECT count(*) FROM me');
    await client.query('COMMIT');
  };
  const wire = new Wire(h);
  const running = [
    ...[a, b].map((client, n) => run(`simple-${n}`, simple(client))),
    ...[c, d].map((client, n) => run(`transaction-${n}`, transaction(client))),
    ...[e, f].map((client, n) =>
      run(`named-${n}`, async (id) => void (await client.query({ name: 'insert', text: insert, values: [id] }))),
    ),
    run('unnamed', async (id) => void (await g.query(insert, [id]))),
    run('pipelined', async (id) => {
      const { parse, bind, execute } = extended;
      // Four groups in one write; the gate may close between any two of them.
      wire.send(
        query('BEGIN'),
        parse('', insert),
        bind('', '', id),
        execute(),
        sync,
        query('COMMIT'),
        query('SELECT colour FROM me'),
      );
      const answer = await wire.answer(4);
      if (answer.includes('SFATAL') || answer.includes('SERROR') || !answer.includes('INSERT 0 1'))
        throw new Error(answer.toString('latin1'));
    }),
    run('pooled', async (id) => void (await pool.query(insert, [id]))),
    run('new', async (id) => {
      const client = await router.connect();
      try {
        await client.query(insert, [id]);
      } finally {
        await client.end();
      }
    }),
  ];
  const progress = (seen = acknowledged.length) =>
    until('every switchover lets writes through', () => acknowledged.length > seen + 150);
  let token = 0;
  for (const to of ['green', 'blue', 'green', 'blue'] as const) {
    await progress();
    await router.switchTo(pair, to, ++token);
    // i has slept through it.
    expect(await colourOf(i)).toBe(to);
  }
  await progress();
  going = false;
  await Promise.all(running);
  const times = await stored();
  expect(failures).toEqual([]);
  expect(acknowledged.filter((id) => times.get(id) !== 1)).toEqual([]);
  expect([...times].filter(([, count]) => count !== 1)).toEqual([]);
  expect(times.size).toBe(acknowledged.length);
  const status = await router.control.status();
  expect(status.held).toBeNull();
  expect(status.statements.green.writer).toBeGreaterThan(0);
  expect(status.pauseMs).toBeGreaterThan(0);
  await Promise.all([pool.end(), ...clients.map((client) => client.end())]);
});

test('connections that come in at any instant of a held switchover are all let in', async () => {
  await using router = await TestRouter.start(pair);
  let going = true;
  const failures: unknown[] = [];
  const instants = new Map<string, number>();
  let instant = 'before';
  const come = async () => {
    while (going) {
      const came = instant;
      const client = new TestClient(router.settings());
      try {
        await client.connect();
        await client.query('INSERT INTO writes VALUES (gen_random_uuid()::text)');
        instants.set(came, (instants.get(came) ?? 0) + 1);
      } catch (error) {
        failures.push([came, instant, error]);
      }
      await client.end();
    }
  };
  // More than one at a time, else the first that waits would be the last that comes.
  const coming = Array.from({ length: 4 }, come);
  /** Somebody who came in at this instant, and either waits by now or was served. */
  const newcomers = async (at: string) => {
    instant = at;
    const slow = mid();
    coming.push(come(), come());
    await Promise.race([
      slow.asked,
      until('it waits', async () =>
        Object.values((await router.control.status()).sessions).some(({ waiting }) => waiting >= 1),
      ),
    ]);
    return slow;
  };
  /** A client that is in the middle of its password exchange until it is told to go on. */
  const mid = () => {
    const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const client = new TestClient({
      ...router.settings(),
      password: async () => {
        asked.resolve();
        await answer.promise;
        return writer.password;
      },
    });
    const connected = client.connect();
    connected.catch((error: unknown) => failures.push(['mid', instant, error]));
    return { asked: asked.promise, answer: answer.resolve, connected, client };
  };
  for (const [round, to] of (['green', 'blue'] as const).entries()) {
    const from = to === 'green' ? 'blue' : 'green';
    const token = round + 1;
    const early = [await newcomers('before'), await newcomers('before')] as const;
    await until('served before', () => (instants.get('before') ?? 0) > 10 * (round + 1));
    await router.control.hold(token, 5_000, 30_000);
    const held = await newcomers('held');
    await pair.fence(from);
    // Let in by its password and refused by the fence, which both come after the hold began.
    early[0].answer();
    await until(
      'it met the fence',
      async () => (await router.log()).split('is not permitted to log in').length > round + 1,
    );
    const fenced = await newcomers('fenced');
    await pair.open(to);
    const opened = await newcomers('opened');
    await router.control.route(token, to, { blue: to === 'blue' ? 100 : 0, green: to === 'green' ? 100 : 0 });
    const routed = await newcomers('routed');
    expect(await router.probe()).toBe(to);
    const probed = await newcomers('probed');
    await router.control.resume(token);
    instant = 'before';
    for (const one of [...early, held, fenced, opened, routed, probed]) {
      one.answer();
      await one.connected;
      expect(await colourOf(one.client)).toBe(to);
      await one.client.end();
    }
  }
  going = false;
  await Promise.all(coming);
  expect(failures).toEqual([]);
  expect([...instants.keys()]).toEqual(
    expect.arrayContaining(['before', 'held', 'fenced', 'opened', 'routed', 'probed']),
  );
});

test('a switchover that is taken back lets in those who met its fence, and who may not log in is told so', async () => {
  await using router = await TestRouter.start(pair);
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<string>();
  const early = new TestClient({ ...router.settings(), password: () => (asked.resolve(), answer.promise) });
  const connected = early.connect();
  await asked.promise;
  await router.control.hold(1, 1_000, 10_000);
  await pair.fence('blue');
  answer.resolve(writer.password);
  await until('it met the fence', async () => (await router.log()).includes('is not permitted to log in'));
  await pair.open('blue');
  await router.control.resume(1);
  await connected;
  expect(await colourOf(early)).toBe('blue');
  await early.end();
  await pair.fence('blue');
  const from = performance.now();
  await expect(router.connect()).rejects.toMatchObject({ code: '28000' });
  expect(performance.now() - from).toBeLessThan(10_000);
  // A password that is wrong is wrong under a hold as well, when that ends.
  await pair.open('blue');
  await router.control.hold(2, 1_000, 10_000);
  const wrong = expect(router.connect({ ...writer, password: 'rust' })).rejects.toMatchObject({ code: '28P01' });
  await router.control.resume(2);
  await wrong;
});

test('a session that is being carried over when the fence ends its new backend is carried over again', async () => {
  await using router = await TestRouter.start(pair);
  const client = await router.connect();
  await client.query("SET default_text_search_config = 'pg_catalog.german'");
  await pair.terminate('blue');
  await pair.on('blue', async (operator) => {
    // What the setting names is looked up here, so the new backend stays in the middle of taking the session over.
    await operator.query('BEGIN; LOCK pg_catalog.pg_ts_config IN ACCESS EXCLUSIVE MODE');
    const answer = client.query("SELECT current_setting('default_text_search_config') AS setting");
    await until('it is being carried over', async () => {
      // On a connection of its own: a transaction goes on seeing the activity that it saw first.
      const { rowCount } = await pair.on('blue', (other) =>
        other.query(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app' AND wait_event_type = 'Lock'",
        ),
      );
      return rowCount === 1;
    });
    await until('the attempt failed', async () => (await router.log()).includes('no backend yet'));
    await operator.query('COMMIT');
    expect((await answer).rows).toEqual([{ setting: 'pg_catalog.german' }]);
  });
  await client.end();
});

test('three switchovers, 60 short-lived connections at each, and none fails', async () => {
  await using router = await TestRouter.start(pair);
  const failures: unknown[] = [];
  let served = 0;
  const come = async (id: string) => {
    const client = new TestClient(router.settings());
    try {
      await client.connect();
      await client.query('INSERT INTO writes VALUES ($1)', [id]);
      served++;
      await client.end();
    } catch (error) {
      failures.push([id, error]);
    }
  };
  for (let round = 0; round < 3; round++) {
    // Thirty at a time: when the hold begins each of them is somewhere else between its first byte and its last.
    const line = Array.from({ length: 60 }, (_, n) => `${round}/${n}`);
    const coming = Array.from({ length: 30 }, async () => {
      for (let id = line.pop(); id !== undefined; id = line.pop()) await come(id);
    });
    await until('some were served', () => served > round * 60 + 10);
    await router.switchTo(pair, round % 2 === 0 ? 'green' : 'blue', round + 1);
    await Promise.all(coming);
  }
  expect(failures).toEqual([]);
  expect(served).toBe(180);
  const times = await stored();
  expect(times.size).toBe(180);
  expect([...times].filter(([, count]) => count !== 1)).toEqual([]);
});

test('a long transaction makes the hold fail in its budget, named, and everybody goes on', async () => {
  await using router = await TestRouter.start(pair);
  const slow = await router.connect(writer, { application_name: 'nightly' });
  const other = await router.connect();
  await slow.query("BEGIN; INSERT INTO writes VALUES ('slow')");
  const hold = expect(router.control.hold(1, 300, 5_000)).rejects.toMatchObject({
    code: 'refused',
    id: 'pause-timeout',
    facts: {
      budgetMs: 300,
      blockers: [
        {
          user: 'app',
          applicationName: 'nightly',
          database: 'shop',
          state: 'transaction',
          colour: 'blue',
          pid: expect.any(Number) as number,
          since: expect.any(String) as string,
        },
      ],
    },
  });
  await until('the hold waits', async () => (await router.control.status()).held !== null);
  const waiting = other.query("INSERT INTO writes VALUES ('held')");
  await until('the client waits', async () => (await router.control.status()).sessions.blue.waiting === 1);
  await slow.query('SELECT 1');
  await hold;
  await waiting;
  expect((await router.control.status()).held).toBeNull();
  await slow.query('COMMIT');
  const times = await stored();
  expect([times.get('slow'), times.get('held')]).toEqual([1, 1]);
  await Promise.all([slow.end(), other.end()]);
});

test('a hold is granted when the last transaction ends, and new connections wait for its end', async () => {
  await using router = await TestRouter.start(pair);
  const client = await router.connect();
  await client.query('BEGIN');
  const hold = router.control.hold(1, 5_000, 10_000);
  await until('the hold waits', async () => (await router.control.status()).held !== null);
  await client.query('SELECT 1');
  await client.query('COMMIT');
  await hold;
  const late = router.connect();
  const early = colourOf(client);
  await until('both wait', async () => {
    const { sessions } = await router.control.status();
    return sessions.blue.waiting === 2;
  });
  await router.control.resume(1);
  expect([await early, await colourOf(await late)]).toEqual(['blue', 'blue']);
  await Promise.all([client.end(), (await late).end()]);
});

test('a client that waits gets its new backend before the hold ends, and is served only then', async () => {
  await using router = await TestRouter.start(pair);
  const [client, sleeper] = [await router.connect(), await router.connect()];
  await router.control.hold(1, 1_000, 10_000);
  const waiting = client.query("INSERT INTO writes VALUES ('ahead')");
  await until('the client waits', async () => (await router.control.status()).sessions.blue.waiting === 1);
  await pair.fence('blue');
  await router.control.route(1, 'green', { blue: 0, green: 100 });
  expect((await router.control.status()).moves).toBe(0);
  expect(await router.probe()).toBe('green');
  await until('it has a backend there', async () => (await router.control.status()).moves === 1);
  expect((await stored()).has('ahead')).toBe(false);
  expect((await router.control.status()).sessions).toMatchObject({
    blue: { waiting: 0 },
    green: { waiting: 1, detached: 1 },
  });
  await router.control.resume(1);
  await waiting;
  expect([(await stored()).get('ahead'), await colourOf(sleeper)]).toEqual([1, 'green']);
  await Promise.all([client.end(), sleeper.end()]);
});

test('a switchover that is taken back leaves the waiting clients where they were', async () => {
  await using router = await TestRouter.start(pair);
  const client = await router.connect();
  await router.control.hold(1, 1_000, 10_000);
  const answer = colourOf(client);
  await until('the client waits', async () => (await router.control.status()).sessions.blue.waiting === 1);
  await Promise.all([pair.fence('blue'), pair.fence('green')]);
  await router.control.route(1, 'green', { blue: 0, green: 100 });
  expect(await router.probe()).toBe('green');
  await until('the attempt failed', async () => (await router.log()).includes('not permitted to log in'));
  await router.control.route(1, 'blue', { blue: 100, green: 0 });
  await pair.open('blue');
  await router.control.resume(1);
  expect(await answer).toBe('blue');
  await client.end();
});

test('what a client left waiting when it went is not done', async () => {
  await using router = await TestRouter.start(pair);
  const client = await router.connect();
  await router.control.hold(1, 1_000, 10_000);
  client.query("INSERT INTO writes VALUES ('orphan')").catch(() => undefined);
  await until('the client waits', async () => (await router.control.status()).sessions.blue.waiting === 1);
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
  await until('the session has ended', async () => (await router.control.status()).sessions.blue.waiting === 0);
  await router.control.resume(1);
  expect((await stored()).has('orphan')).toBe(false);
});

test('readers are spread by weight, pick again when it changes, and never take writers along', async () => {
  await using router = await TestRouter.start(pair, { weights: { blue: 90, green: 10 } });
  const readers = await Promise.all(Array.from({ length: 40 }, () => router.connect(reader)));
  const writers = await Promise.all([router.connect(), router.connect()]);
  const greens = async () => (await Promise.all(readers.map(colourOf))).filter((colour) => colour === 'green').length;
  const before = await greens();
  expect(before).toBeGreaterThanOrEqual(2);
  expect(before).toBeLessThanOrEqual(6);
  await router.control.route(1, 'blue', { blue: 50, green: 50 });
  const half = await greens();
  expect(half).toBeGreaterThanOrEqual(18);
  expect(half).toBeLessThanOrEqual(22);
  expect(await Promise.all(writers.map(colourOf))).toEqual(['blue', 'blue']);
  // Readers of the other colour go on while the live one's clients are held.
  await router.control.hold(2, 1_000, 10_000);
  const answers = readers.map(colourOf);
  await until('those on blue wait', async () => (await router.control.status()).sessions.blue.waiting === 40 - half);
  await until('those on green were served', async () => (await router.control.status()).sessions.green.idle === half);
  await router.control.route(2, 'blue', { blue: 100, green: 0 });
  await router.control.resume(2);
  await Promise.all(answers);
  expect(await greens()).toBe(0);
  await Promise.all([...readers, ...writers].map((client) => client.end()));
});

test('a server that is down makes an idle client wait, and a new one too', async () => {
  await using router = await TestRouter.start(pair);
  const client = await router.connect();
  await stopServer(pair.servers.blue, 'immediate');
  const [early, late] = [colourOf(client), router.connect()];
  await until('both wait', async () => (await router.log()).split('no backend yet').length > 4);
  await startServer(pair.servers.blue);
  expect(await early).toBe('blue');
  expect(await colourOf(await late)).toBe('blue');
  await Promise.all([client.end(), (await late).end()]);
});

test('a server that stays down is an error with a reason', async () => {
  await using router = await TestRouter.start(pair, { limits: { attachMs: 200 } });
  const client = await router.connect();
  await stopServer(pair.servers.blue);
  try {
    await expect(client.query('SELECT 1')).rejects.toMatchObject({
      code: '57P03',
      message: expect.stringMatching(/blue took no connection for 200 ms/) as string,
    });
    await expect(router.connect()).rejects.toMatchObject({ code: '57P03' });
  } finally {
    await startServer(pair.servers.blue);
  }
});

test('colours come and go: readers of one that goes are served by the other', async () => {
  await using router = await TestRouter.start(pair, { weights: { blue: 0, green: 100 } });
  const client = await router.connect(reader);
  expect(await colourOf(client)).toBe('green');
  await router.control.upstreams(1, { blue: pair.upstream('blue'), green: null });
  expect(await colourOf(client)).toBe('blue');
  await expect(router.control.upstreams(1, { blue: null, green: pair.upstream('green') })).rejects.toMatchObject({
    id: 'no-upstream',
  });
  await expect(router.control.route(1, 'green', { blue: 1, green: 0 })).rejects.toMatchObject({ id: 'no-upstream' });
  await client.end();
});
