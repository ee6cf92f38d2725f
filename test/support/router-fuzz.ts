import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Socket } from 'node:net';
import { back, front, message, query } from '../../src/wire/messages.ts';
import { colourOf, extended, writer, type Pair, type TestClient, type TestRouter } from './router.ts';

export interface FuzzSeen {
  /** Errors of clients that kept to the protocol. */
  readonly honest: string[];
  asked: number;
  switchovers: number;
  strangers: number;
  loggedIn: number;
  /** Messages by the moment at which they were sent. */
  readonly sent: Record<Moment, number>;
}

/** Clients are served; all wait; those that wait are given to another server; one's own server process was ended. */
type Moment = 'served' | 'held' | 'attaching' | 'ended';

/**
 * Random and malformed messages in every state of a connection, beside honest clients and switchovers. The same seed
 * sends the same kinds.
 */
export async function fuzz(pair: Pair, router: TestRouter, milliseconds: number, seed: number): Promise<FuzzSeen> {
  const seen: FuzzSeen = {
    honest: [],
    asked: 0,
    switchovers: 0,
    strangers: 0,
    loggedIn: 0,
    sent: { served: 0, held: 0, attaching: 0, ended: 0 },
  };
  const now: Now = { moment: 'served' };
  const end = performance.now() + milliseconds;
  const go = () => performance.now() < end && seen.honest.length === 0;
  const again = async (work: () => Promise<void>) => {
    while (go()) await work();
  };
  const honest = (what: string) => (error: Error) => void seen.honest.push(`${what}: ${error.message}`);
  const noise = new Noise(seed);
  const steady = await router.connect();
  await Promise.all([
    again(async () => {
      await colourOf(steady).catch(honest('a query'));
      seen.asked++;
      await delay(10);
    }),
    again(async () => {
      const client = await router.connect().catch(honest('a connection'));
      if (client)
        await client
          .query('SELECT 1')
          .then(() => client.end())
          .catch(honest('a new client'));
      await delay(100);
    }),
    again(async () => {
      await delay(300);
      const to = seen.switchovers % 2 === 0 ? 'green' : 'blue';
      const held = async (): Promise<void> => {
        now.moment = 'held';
        await delay(noise.below(80));
      };
      await switchover(pair, router, to, seen.switchovers + 1, held).then(
        () => seen.switchovers++,
        honest('a switchover'),
      );
      now.moment = 'attaching';
      await delay(30);
      now.moment = 'served';
    }),
    ...[0, 1].map(() =>
      again(async () => {
        await stranger(router.port, noise, (ended) => seen.sent[ended ? 'ended' : now.moment]++);
        seen.strangers++;
      }),
    ),
    ...[0, 1, 2].map(() =>
      again(async () => {
        await insider(pair, router, noise, (ended) => seen.sent[ended ? 'ended' : now.moment]++);
        seen.loggedIn++;
      }),
    ),
  ]);
  await steady.end();
  return seen;
}

/** A client in the middle of a transaction is the operator's to end: that is no fault of the router. */
async function switchover(
  pair: Pair,
  router: TestRouter,
  to: 'blue' | 'green',
  token: number,
  held: () => Promise<void>,
): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await router.switchTo(pair, to, token, held);
    } catch (error) {
      if ((error as { id?: string }).id !== 'pause-timeout' || attempt > 9) throw error;
      await pair.on(to === 'blue' ? 'green' : 'blue', (client) =>
        client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'noise'"),
      );
    }
  }
}

interface Now {
  moment: Moment;
}

/** Told of each message; `ended`: the server process behind the client was ended. */
type Count = (ended: boolean) => void;

/** Before login. */
async function stranger(port: number, noise: Noise, count: Count): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.on('error', () => undefined).resume();
  for (let left = 1 + noise.below(6); left > 0 && !socket.destroyed; left--) {
    socket.write(noise.opening());
    count(false);
    if (noise.below(2)) await delay(noise.below(8));
  }
  leave(socket, noise);
  await closed;
}

/** Behind the login: idle, in a pipeline, in a copy, in a transaction, held, moved, its backend ended. */
async function insider(pair: Pair, router: TestRouter, noise: Noise, count: Count): Promise<void> {
  const client = await router
    .connect(writer, { application_name: 'noise', connectionTimeoutMillis: 20_000 })
    .catch(() => undefined);
  if (!client) return;
  const ended = await prepared(pair, client, noise).catch(() => false);
  const { connection } = client as unknown as { connection: { stream: Socket; removeAllListeners(of: string): void } };
  const { stream } = connection;
  stream
    .removeAllListeners('data')
    .on('data', () => undefined)
    .on('error', () => undefined);
  // Whoever reads nothing of what he asked for.
  if (noise.below(8) === 0) stream.pause().write(query("SELECT repeat('x', 1000000) FROM generate_series(1, 30)"));
  for (let left = 1 + noise.below(15); left > 0 && !stream.destroyed; left--) {
    stream.write(noise.message());
    count(ended);
    if (noise.below(3) === 0) await delay(noise.below(5));
  }
  await delay(noise.below(40));
  leave(stream, noise);
}

/** Whether the server process behind the client was ended. */
async function prepared(pair: Pair, client: TestClient, noise: Noise): Promise<boolean> {
  const state = noise.pick(['idle', 'listening', 'code', 'transaction', 'ended', 'ended', 'copy']);
  if (state === 'listening') await client.query('LISTEN noise');
  if (state === 'code') await client.query("DO $$ BEGIN SET work_mem = '9MB'; END $$");
  if (state === 'transaction') await client.query('BEGIN');
  if (state === 'copy')
    (client as unknown as { connection: { stream: Socket } }).connection.stream.write(query('COPY writes FROM STDIN'));
  if (state !== 'ended') return false;
  const { rows } = await client.query<{ pid: number; colour: 'blue' | 'green' }>(
    'SELECT pg_backend_pid() AS pid, colour FROM me',
  );
  const [at] = rows;
  if (at) await pair.on(at.colour, (other) => other.query('SELECT pg_terminate_backend($1)', [at.pid]));
  return at !== undefined;
}

function leave(socket: Socket, noise: Noise): void {
  const how = noise.below(3);
  if (how === 0) socket.end();
  else if (how === 1) socket.resetAndDestroy();
  else socket.destroy();
  setTimeout(() => socket.destroy(), 300);
}

class Noise {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * limit);
  }

  pick<T>(these: readonly T[]): T {
    return these[this.below(these.length)] as T;
  }

  bytes(limit: number): Buffer {
    return Buffer.from(Array.from({ length: this.below(limit) }, () => this.below(256)));
  }

  opening(): Buffer {
    return this.pick([
      () => numbers(8, 80_877_103),
      () => numbers(8, 80_877_104),
      () => numbers(16, 80_877_102, this.below(2 ** 31), this.below(2 ** 31)),
      () => numbers(8, 80_877_102),
      () => numbers(this.pick([-1, 0, 8, 9, 9_999, 2 ** 30]), 196_608),
      () => numbers(8, this.pick([131_072, 196_610, 0])),
      () => startup({ user: 'app', database: 'shop' }),
      () => startup({ user: '', replication: 'database' }),
      () => startup({ user: 'verdigris_operator', database: 'shop', replication: 'true' }),
      () =>
        startup({ user: 'app', database: 'shop', options: '-c role=postgres', ['x'.repeat(this.below(9_000))]: 'y' }),
      () => Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      () => Buffer.from([0x16, 3, 1, 2, 0, 1]),
      () => Buffer.concat([numbers(8, 80_877_103), hello.subarray(0, this.below(hello.length))]),
      () => Buffer.concat(Array.from({ length: 300 }, () => numbers(8, this.pick([80_877_103, 80_877_104])))),
      () => numbers(16, 80_877_102, 1 + this.below(2_000), this.below(2 ** 31)),
      () => startup({ user: 'app', database: 'shop', [`\u001b]0;x${'é'.repeat(this.below(3_000))}`]: '\n' }),
      () => Buffer.alloc(this.below(100_000), 0x70),
      () => this.bytes(300),
      () => this.message(),
    ])();
  }

  message(): Buffer {
    const type = this.pick([...Object.values(front), ...Object.values(back), 0, 255]);
    return this.pick([
      () => query('select 1'),
      () => query("DO $$ BEGIN SET app.x = 'y'; END $$; begin; savepoint a"),
      () => query('COPY writes FROM STDIN'),
      () => query('LISTEN noise; NOTIFY noise'),
      () => query('SELECT pg_terminate_backend(pg_backend_pid())'),
      () => Buffer.concat([query('select 1'), header(front.query, -1)]),
      () => Buffer.concat([extended.parse('', 'select $1::int'), extended.bind('', '', 'x'), extended.execute()]),
      () => extended.parse(this.pick(['a', '']), this.pick(['select', 'select 1', 'not sql'])),
      () => extended.sync,
      () => extended.flush,
      () => extended.close('S', 'a'),
      () => extended.copyData('a\n'),
      () => extended.copyDone,
      () => message(type, this.bytes(60)),
      () => header(type, this.pick([-1, 0, 3, 4, 5, 64, 10_001, 2 ** 30, 2 ** 31 - 1])),
      () => this.bytes(20),
      () => message(front.terminate),
    ])();
  }
}

/** A ClientHello of TLS 1.2, without extensions. */
const hello = Buffer.concat([
  Buffer.from([0x16, 3, 1, 0, 47, 1, 0, 0, 43, 3, 3]),
  Buffer.alloc(32, 7),
  Buffer.from([0, 0, 4, 0xc0, 0x2f, 0, 0x9c, 1, 0]),
]);

function header(type: number, length: number): Buffer {
  return Buffer.concat([Buffer.from([type]), numbers(length)]);
}

function startup(parameters: Readonly<Record<string, string>>): Buffer {
  const body = Buffer.from(
    `${Object.entries(parameters)
      .map(([name, value]) => `${name}\0${value}\0`)
      .join('')}\0`,
  );
  return Buffer.concat([numbers(8 + body.length, 196_608), body]);
}

function numbers(...values: number[]): Buffer {
  const made = Buffer.alloc(4 * values.length);
  values.forEach((value, at) => made.writeInt32BE(value, 4 * at));
  return made;
}
