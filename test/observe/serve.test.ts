import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { requestBody, serveHttp, serveLimits, type ServeOptions } from '../../src/observe/serve.ts';
import { serveApprovals } from '../../src/observe/approvals/server.ts';
import { serveFlags } from '../../src/observe/flags/server.ts';
import { Facts } from '../../src/observe/flags/facts.ts';
import { serveDashboard } from '../../src/observe/dashboard/server.ts';

/** Runs a server for the length of `use`. */
async function serving(
  serve: (options: ServeOptions) => Promise<void>,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const end = new AbortController();
  const listening = Promise.withResolvers<number>();
  const served = serve({ host: '127.0.0.1', port: 0, signal: end.signal, onListening: listening.resolve });
  try {
    await use(await listening.promise);
  } finally {
    end.abort();
    await served;
  }
}

/** What comes back on one connection until the server ends it. */
async function said(port: number, ...parts: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  socket.on('error', () => undefined);
  for (const part of parts) socket.write(part);
  await closed;
  return text;
}

const get = (path: string, host = 'localhost', method = 'GET'): string =>
  `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

const status = (text: string): string | undefined => /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];

test('no request ends the server or holds it: long headers, slow ones, large bodies, wrong addresses, faults inside', async () => {
  await serving(
    (options) =>
      serveHttp((request, response) => {
        if (request.url === '/fault') throw new Error('password=secret');
        if (request.url === '/late') {
          response.writeHead(200).write('begun');
          throw new Error('late');
        }
        void requestBody(request, response, 1_000).then((body) =>
          response.writeHead(body === undefined ? 413 : 200).end(String(body?.length)),
        );
      }, options),
    async (port) => {
      const begun = performance.now();
      // Neither sends its header to the end; the second one goes on sending.
      const slow = said(port, 'GET / HTTP/1.1\r\nHost: localhost\r\n');
      const drip = connect(port, '127.0.0.1').on('error', () => undefined);
      const dripped = new Promise<void>((resolve) => drip.on('close', () => resolve()));
      const dripping = setInterval(() => drip.write('x'), 100);
      expect(status(await said(port, get('/')))).toBe('200');
      expect(
        status(await said(port, `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(serveLimits.header)}\r\n\r\n`)),
      ).toBe('431');
      expect(status(await said(port, get(`/${'x'.repeat(serveLimits.header)}`)))).toBe('431');
      expect(status(await said(port, get('//')))).toBe('400');
      expect(status(await said(port, get('http://%/')))).toBe('400');
      expect(status(await said(port, 'GET / HTTP/1.1\r\n\r\n'))).toBe('400');
      expect(status(await said(port, Buffer.from([0x16, 3, 1, 0, 200, 1])))).toBe('400');
      expect(await said(port, get('/', 'localhost', 'CONNECT'))).toBe('');
      for (const name of [
        'attacker.example',
        'localhost.attacker.example',
        '127.0.0.1.nip.io',
        'localhost@attacker.example',
      ])
        expect([name, status(await said(port, get('/', name)))]).toEqual([name, '421']);
      for (const name of ['LOCALHOST:80', `127.0.0.1:${port}`, '[::1]'])
        expect(status(await said(port, get('/', name)))).toBe('200');
      const fault = await said(port, get('/fault'));
      expect(status(fault)).toBe('500');
      expect(fault).not.toContain('secret');
      expect(await said(port, get('/late'))).not.toContain('late');
      const posted = (length: number, body: string): string =>
        `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n${body}`;
      expect(status(await said(port, posted(1e9, 'x'.repeat(2_000))))).toBe('413');
      const chunked = 'POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n';
      expect(status(await said(port, `${chunked}7d0\r\n${'x'.repeat(2_000)}\r\n`))).toBe('413');
      // Two meanings of where the body ends.
      expect(
        status(await said(port, posted(5, '').replace('\r\n\r\n', '\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'))),
      ).toBe('400');
      expect(status(await slow)).toBe('408');
      await dripped;
      clearInterval(dripping);
      expect(performance.now() - begun).toBeLessThan(serveLimits.headerTime + 5_000);
      expect(status(await said(port, get('/')))).toBe('200');
    },
  );
});

test('connections beyond the limit are closed at once, and those that come after are served', async () => {
  await serving(
    (options) => serveHttp((_, response) => response.end('here'), options),
    async (port) => {
      const open = Array.from({ length: serveLimits.connections + 20 }, () =>
        connect(port, '127.0.0.1').on('error', () => undefined),
      );
      const closed = (): number => open.filter((socket) => socket.closed).length;
      await expect.poll(closed, { timeout: 10_000 }).toBe(20);
      for (const socket of open) socket.destroy();
      await expect.poll(async () => status(await said(port, get('/')))).toBe('200');
    },
  );
});

test("flags and pages are read under no name of somebody else's on loopback, and changed by no method", async () => {
  const nothing = new Facts(() => Promise.reject(new Error('postgresql://operator:hunter2@db/shop is away')));
  await serving(
    (options) => serveFlags(nothing, options),
    async (port) => {
      const path = '/ofrep/v1/evaluate/flags';
      expect(status(await said(port, get(path, 'attacker.example', 'POST')))).toBe('421');
      for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS'])
        expect(status(await said(port, get(path, 'localhost', method)))).toBe('405');
      const refused = await said(port, get(path, 'localhost', 'POST'));
      expect(status(refused)).toBe('503');
      expect(refused).not.toContain('hunter2');
    },
  );
  await serving(
    (options) => serveDashboard([], options),
    async (port) => {
      expect(status(await said(port, get('/', 'attacker.example')))).toBe('421');
      for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH'])
        expect([method, status(await said(port, get('/', 'localhost', method)))]).toEqual([method, '405']);
    },
  );
  const approve = (): Promise<void> => Promise.reject(new Error('password=hunter2'));
  await serving(
    (options) => serveApprovals({ environment: 'shop', secret: 'both know it', approve }, options),
    async (port) => {
      // Who signs comes through a proxy that has names of its own.
      expect(status(await said(port, get('/healthz', 'approvals.example')))).toBe('200');
      expect(status(await said(port, get('/approve', 'approvals.example', 'POST')))).toBe('401');
      for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS'])
        expect(status(await said(port, get('/approve', 'localhost', method)))).toBe('405');
    },
  );
});
