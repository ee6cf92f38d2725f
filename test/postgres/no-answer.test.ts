import { createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { ofServer } from '../../src/operations/engine/server-failure.ts';
import { hasNoAnswer, silenceOf } from '../../src/postgres/no-answer.ts';
import { one } from '../../src/postgres/client.ts';
import { withOwnSession } from '../../src/postgres/session.ts';
import { failure } from '../support/failure.ts';
import { fatal } from '../support/fatal.ts';
import { connectionTo, withServer } from '../support/postgres.ts';

/** What a server does with the first bytes of a client. */
type Answer = (socket: Socket) => void;

const says =
  (text: string): Answer =>
  (socket) =>
    void socket.end(text, 'latin1');

async function told(answer: Answer, encrypted: boolean): Promise<unknown> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => answer(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const settings = { host: '127.0.0.1', port, user: 'somebody', database: 'shop' };
  try {
    return await failure(
      withOwnSession({ ...settings, ...(encrypted ? { tls: { mode: 'require' } } : {}) }, 'test', () =>
        Promise.resolve(),
      ),
    );
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

const otherTls: Answer = (socket) => {
  socket.write('S');
  socket.once('data', () => socket.end('this is no handshake'));
};
const closes: Answer = (socket) => void socket.destroy();
const resets: Answer = (socket) => void socket.resetAndDestroy();

test.each<[what: string, answer: Answer, encrypted: boolean]>([
  ['closes', closes, false],
  ['resets', resets, false],
  ['starts', says(fatal('57P03', 'the database system is starting up')), false],
  ['answers a part of a message', says('garbage, and more of it'), false],
  ['answers what is no message', (socket) => void socket.write('g\0\0\0\x04'), false],
  ['closes at the request for TLS', closes, true],
  ['resets at the request for TLS', resets, true],
  ['has no process for the request for TLS', says('Ecould not fork new process for connection\n\0'), true],
  ['answers what is no answer to the request for TLS', says('garbage'), true],
  ['closes in the handshake', says('S'), true],
])('a server that %s is none that answers', async (_, answer, encrypted) => {
  const seen = await told(answer, encrypted);
  expect(seen).toSatisfy(hasNoAnswer);
  expect(await failure(ofServer('green', Promise.reject(seen as Error)))).toMatchObject({
    id: 'server-gone',
    seen: expect.stringContaining((seen as Error).message) as string,
  });
});

test('nobody at an address, or at a socket whose folder is gone', async () => {
  const nobody = (host: string) =>
    failure(withOwnSession({ host, port: 1, user: 'somebody', database: 'shop' }, 'test', () => Promise.resolve()));
  expect(await nobody('127.0.0.1')).toSatisfy(hasNoAnswer);
  expect(await nobody('/nowhere/at/all')).toSatisfy(hasNoAnswer);
});

test.each<[what: string, answer: Answer, encrypted: boolean, seen: object]>([
  ['has no TLS', says('N'), true, { id: 'tls-refused' }],
  ['speaks another TLS', otherTls, true, { id: 'tls-refused' }],
  ['refuses', says(fatal('3D000', 'there is no database of this name')), false, { code: '3D000' }],
  ['did not reach another', says(fatal('08006', 'could not connect to the publisher')), false, { code: '08006' }],
])('one that %s answers', async (_, answer, encrypted, expected) => {
  const seen = await told(answer, encrypted);
  expect(seen).toMatchObject(expected);
  expect(hasNoAnswer(seen)).toBe(false);
  expect(await failure(ofServer('green', Promise.reject(seen as Error)))).toBe(seen);
});

test("of a session that somebody ended while it was idle the server's own words are told", () =>
  withServer(async (server) => {
    const settings = connectionTo(server);
    const idle = withOwnSession(settings, 'test', async (client) => {
      const { pid } = await one<{ pid: number }>(client, 'SELECT pg_backend_pid() AS pid');
      const gone = new Promise((resolve) => client.once('end', resolve));
      await withOwnSession(settings, 'test', (other) => other.query('SELECT pg_terminate_backend($1)', [pid]));
      await gone;
      await client.query('SELECT 1');
    });
    expect(await failure(ofServer('blue', idle))).toMatchObject({
      id: 'server-gone',
      message: expect.stringMatching(/somebody ended .*administrator command.*pg_signal_backend/s) as string,
    });
  }));

test('whose silence it was is known where the session of one server is used inside of one to another', () =>
  withServer(async (server) => {
    const outer = connectionTo(server);
    // Another way to the same server.
    const inner = { ...outer, host: `${outer.host}/.` };
    const failed = await failure(
      withOwnSession(outer, 'test', (live) =>
        withOwnSession(inner, 'test', async (other) => {
          const { pid } = await one<{ pid: number }>(live, 'SELECT pg_backend_pid() AS pid');
          const ended = new Promise((resolve) => live.once('end', resolve));
          await other.query('SELECT pg_terminate_backend($1)', [pid]);
          await ended;
          await live.query('SELECT 1');
        }),
      ),
    );
    expect(silenceOf(failed)).toBe(`${outer.host}:${outer.port}`);
  }));
