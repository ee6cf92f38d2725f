import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { message } from '../../src/wire/messages.ts';
import { Pair, reader, TestRouter } from '../support/router.ts';
import { until } from '../support/until.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await Pair.start();
});
afterAll(() => pair[Symbol.asyncDispose]());

/** A connection on which nobody has said anything yet. */
async function silent({ port }: TestRouter): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

const startup = (): Buffer => {
  const body = Buffer.from('\0\u0003\0\0user\0app\0database\0shop\0\0');
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([length, body]);
};

test('one client too many is told so, in all and of its user', async () => {
  await using router = await TestRouter.start(pair, { limits: { connections: 3, connectionsPerUser: 2 } });
  const first = await router.connect();
  const second = await router.connect();
  await expect(router.connect()).rejects.toMatchObject({ code: '53300' });
  const third = await router.connect(reader);
  await expect(router.connect(reader)).rejects.toMatchObject({ code: '53300' });
  await first.end();
  const again = await until('a place', () => router.connect().catch(() => undefined));
  await Promise.all([second, third, again].map((client) => client.end()));
});

test('a server without a free connection is reported as that at once', async () => {
  await pair.on('blue', (client) => client.query('ALTER ROLE app CONNECTION LIMIT 0'));
  await using router = await TestRouter.start(pair);
  const from = performance.now();
  await expect(router.connect()).rejects.toMatchObject({ code: '53300' });
  expect(performance.now() - from).toBeLessThan(5_000);
  await pair.on('blue', (client) => client.query('ALTER ROLE app CONNECTION LIMIT -1'));
});

test('a client whose server has no free connection any more is told so within its own limit, and served if one is free before', async () => {
  await using router = await TestRouter.start(pair, { limits: { fullMs: 400 } });
  const [refused, served] = [await router.connect(), await router.connect()];
  const shut = async () => {
    await pair.on('blue', (client) => client.query('ALTER ROLE app CONNECTION LIMIT 0'));
    await pair.on('blue', (client) =>
      client.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'app'"),
    );
  };
  const open = () => pair.on('blue', (client) => client.query('ALTER ROLE app CONNECTION LIMIT -1'));
  try {
    await shut();
    const from = performance.now();
    await expect(refused.query('SELECT 1')).rejects.toMatchObject({
      code: '53300',
      message: expect.stringMatching(/blue took no connection for 400 ms/) as string,
    });
    // The limit of a server that cannot be reached is 30 s.
    expect(performance.now() - from).toBeLessThan(10_000);
    const waiting = served.query('SELECT 1 AS x');
    await open();
    expect((await waiting).rows).toEqual([{ x: 1 }]);
  } finally {
    await open();
  }
  await served.end();
});

test('clients that do not log in keep nobody out who is in, and are refused beyond their number', async () => {
  await using router = await TestRouter.start(pair, { limits: { beforeLogin: 2 } });
  const inside = await router.connect();
  const strangers = [await silent(router), await silent(router)];
  await expect(router.connect()).rejects.toMatchObject({ code: '53300' });
  strangers.push(await silent(router), await silent(router));
  await expect(router.connect()).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect((await inside.query('SELECT 1 AS x')).rows).toEqual([{ x: 1 }]);
  for (const stranger of strangers) stranger.destroy();
  const again = await until('a place', () => router.connect().catch(() => undefined));
  await Promise.all([inside, again].map((client) => client.end()));
});

test('a client that sends more than a login takes, or none in time, is closed', async () => {
  await using router = await TestRouter.start(pair, { limits: { bytesBeforeLogin: 1024, loginMs: 1_000 } });
  const talkative = await silent(router);
  talkative.write(Buffer.concat([startup(), message('p'.charCodeAt(0), Buffer.alloc(2_000))]));
  expect(await text(talkative)).toContain('08P01');
  // Asked for its password, it gives none.
  const waiting = await silent(router);
  waiting.write(startup());
  expect(await text(waiting)).toContain('57014');
  expect(await text(await silent(router))).toBe('');
  const honest = await router.connect();
  await honest.end();
});

test('the router and its recoveries have nothing of the environment of whoever started them', async () => {
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'of whoever started it');
  const recover = {
    argv: ['/bin/sh', '-c', 'echo "recovery: $AWS_SECRET_ACCESS_KEY, $GIVEN"'],
    env: { GIVEN: 'given' },
  };
  await using router = await TestRouter.start(pair, { recover, limits: { recoverEveryMs: 100 } });
  const environment = await readFile(path.join('/proc', `${await router.pid()}`, 'environ'), 'utf8');
  expect(environment).toContain('PATH=');
  expect(environment).not.toContain('AWS');
  await router.control.hold(1, 100, 150);
  // The log has the command itself as well, inside of a line.
  const said = await until('a recovery', async () => /^recovery: .*$/m.exec(await router.log())?.[0]);
  expect(said).toBe('recovery: , given');
  await router.control.resume(2);
});
