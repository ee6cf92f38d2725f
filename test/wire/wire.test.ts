import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { query } from '../../src/wire/messages.ts';
import { colourOf, extended, Pair, TestRouter, Wire, writer } from '../support/router.ts';
import { until } from '../support/until.ts';

const { parse, bind, execute, describe, close, flush, copyData, copyDone, sync } = extended;

let pair: Pair;
beforeAll(async () => void (pair = await Pair.start()));
beforeEach(() => Promise.all([pair.open('blue'), pair.open('green')]));
afterAll(() => pair[Symbol.asyncDispose]());

test('whatever is asked, the bytes are those that the server itself would have sent', async () => {
  await using router = await TestRouter.start(pair);
  const many = Array.from({ length: 300 }, (_, n) => [bind('', 'row', String(n)), execute()]).flat();
  const dialogues: [asked: Buffer[], answers: number][] = [
    [
      [
        query('SELECT 1; SELECT 2; SELECT'),
        query(''),
        query('SELECT g, repeat(md5(g::text), 20) FROM generate_series(1, 20000) g'),
      ],
      3,
    ],
    [
      [
        parse('row', 'SELECT $1::int, repeat($1, 50)'),
        describe('S', 'row'),
        ...many,
        sync,
        query('SHOW server_version'),
      ],
      2,
    ],
    // An error in the middle: the server skips to the Sync, and what is behind it counts again.
    [
      [
        bind('', 'row', 'x'),
        execute(),
        bind('', 'row', '1'),
        execute(),
        sync,
        bind('', 'row', '2'),
        execute(),
        sync,
        query('SELECT 1/0; SELECT 1'),
        query('SELECT 3'),
      ],
      4,
    ],
    [
      [
        query('BEGIN'),
        bind('p', 'row', '1'),
        execute('p', 1),
        flush,
        execute('p', 1),
        close('P', 'p'),
        sync,
        query('ROLLBACK'),
      ],
      3,
    ],
    // As libpq sends a COPY of the extended protocol: with a Sync that the server swallows, and one more behind the
    // data.
    [
      [
        parse('', 'COPY writes (id) FROM STDIN'),
        bind('', ''),
        describe('P'),
        execute(),
        sync,
        copyData('wire-1\nwire-2\n'),
        copyDone,
        sync,
      ],
      1,
    ],
    [
      [query('COPY writes (id) FROM STDIN'), copyData('wire-3\n'), copyData('wire-1\n'), copyDone, query('SELECT 4')],
      2,
    ],
    [[query('COPY (SELECT g FROM generate_series(1, 50000) g) TO STDOUT')], 1],
    [[query("DELETE FROM writes WHERE id LIKE 'wire%'"), close('S', 'row'), sync], 2],
    [[query(`SELECT length('${'x'.repeat(3_000_000)}')`)], 1],
  ];
  const { port } = pair.servers.blue;
  const direct = new pg.Client({ ...router.settings(), port });
  await direct.connect();
  const routed = await router.connect();
  const [one, other] = [new Wire(direct), new Wire(routed)];
  const record = async (wire: Wire) => {
    const heard: Buffer[] = [];
    for (const [asked, answers] of dialogues) {
      wire.send(...asked);
      heard.push(await wire.answer(answers));
    }
    return heard;
  };
  const expected = await record(one);
  const got = await record(other);
  for (const [n, bytes] of got.entries())
    expect(bytes.equals(expected[n] as Buffer), `dialogue ${n}: ${bytes.toString('latin1').slice(0, 200)}`).toBe(true);
  await direct.end();
  expect((await router.control.status()).sessions.blue.idle).toBe(1);
  await router.switchTo(pair, 'green', 1);
  other.send(query('SELECT colour FROM me'));
  expect((await other.answer()).includes('green')).toBe(true);
  await router.switchTo(pair, 'blue', 2);
});

test('the unnamed statement outlives a switchover between its Parse and its Bind', async () => {
  await using router = await TestRouter.start(pair);
  const wire = new Wire(await router.connect());
  wire.send(parse('', 'SELECT colour, $1::text FROM me'), describe('S'), sync);
  await wire.answer();
  await router.switchTo(pair, 'green', 1);
  wire.send(bind('', '', 'still here'), execute(), sync);
  const answer = (await wire.answer()).toString('latin1');
  expect(answer).toMatch(/green.*still here/s);
  await router.switchTo(pair, 'blue', 2);
});

test('a group without its Sync is not idle: a hold waits for it', async () => {
  await using router = await TestRouter.start(pair);
  const wire = new Wire(await router.connect());
  wire.send(parse('', 'SELECT 1'), bind('', ''), execute(), flush);
  await until('the group is open', async () => (await router.control.status()).sessions.blue.active === 1);
  const hold = router.control.hold(1, 5_000, 10_000);
  await until('the hold waits', async () => (await router.control.status()).held !== null);
  wire.send(sync);
  await wire.answer();
  await hold;
});

test('copies of any size go through, in and out, and a slow reader is waited for', async () => {
  await using router = await TestRouter.start(pair);
  const client = await router.connect();
  await client.query('CREATE TABLE big (a int, b text)');
  const lines = function* () {
    for (let n = 0; n < 2_000; n++)
      yield Array.from({ length: 100 }, (_, k) => `${n * 100 + k}\t${'ä'.repeat((n * 7 + k) % 40)}\n`).join('');
  };
  await pipeline(Readable.from(lines()), client.query(copyFrom('COPY big FROM STDIN')));
  const digest = (text: AsyncIterable<Buffer | string> | Iterable<string>) =>
    (async () => {
      const hash = createHash('sha256');
      for await (const part of text) hash.update(part);
      return hash.digest('hex');
    })();
  const [out, expected] = [
    client.query(copyTo('COPY (SELECT * FROM big ORDER BY a) TO STDOUT')),
    await digest(lines()),
  ];
  expect(await digest(out as unknown as AsyncIterable<Buffer>)).toBe(expected);
  await client.query('DROP TABLE big');
  const slow = await router.connect();
  const { stream } = (slow as unknown as { connection: { stream: { pause(): void; resume(): void } } }).connection;
  const before = await memory(await router.pid());
  stream.pause();
  const rows = slow.query("SELECT repeat('x', 1000) FROM generate_series(1, 150000)");
  await until('the server waits for its client', () =>
    pair.on(
      'blue',
      async (other) =>
        (await other.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'ClientWrite'")).rowCount === 1,
    ),
  );
  expect((await memory(await router.pid())) - before).toBeLessThan(60);
  stream.resume();
  expect((await rows).rowCount).toBe(150_000);
  await Promise.all([client.end(), slow.end()]);
});

test('what is no client is turned away, and the others are served on', async () => {
  await using router = await TestRouter.start(pair);
  const client = await router.connect();
  new Wire(client).send(Buffer.from([0x51, 0, 0, 0, 1, 0]));
  await until('it is closed', () => client.ended);
  for (const bytes of ['GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03']) {
    const socket = connect(router.port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
    const heard: Buffer[] = [];
    for await (const part of socket) heard.push(part as Buffer);
    expect(Buffer.concat(heard).toString()).toMatch(/SFATAL.*C0A000.*the opening message claims/s);
  }
  await expect(router.connect(writer, { ssl: true })).rejects.toThrow(/does not support SSL/);
  const next = await router.connect();
  expect(await colourOf(next)).toBe('blue');
  await next.end();
});

/** Resident MiB. */
async function memory(pid: number | undefined): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}
