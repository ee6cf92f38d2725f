import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { parseEnvironment } from '../../../src/model/environment.ts';
import { newJournal } from '../../../src/model/journal.ts';
import { serializeJournal } from '../../../src/model/journal-text.ts';
import { Context } from '../../../src/operations/engine/context.ts';
import { Ledger } from '../../../src/operations/engine/ledger.ts';
import { deliverOutbox } from '../../../src/operations/hooks/outbox.ts';
import type { Platform } from '../../../src/platform/port/platform.ts';

/** A journal with so many events left for two hooks: one that never answers, one that does. */
async function contextWith(port: number, events: number): Promise<Context> {
  const hook = (path: string) => ({ after: ['switch'], limit: '1m', http: { url: `http://127.0.0.1:${port}${path}` } });
  const environment = parseEnvironment(
    {
      name: 'shop',
      platform: 'local',
      database: 'shop',
      roles: { application: ['app'], readers: ['reader'] },
      colours: { blue: { release: '1', postgres: 17 } },
      live: 'blue',
      hooks: { silent: hook('/silent'), good: hook('/good') },
    },
    'the test',
  );
  const outbox = ['silent', 'good'].flatMap((name) =>
    Array.from({ length: events }, (_, index) => ({
      hook: name,
      event: { id: `${name} ${index}`, data: { verb: 'switch' } },
    })),
  );
  const text = serializeJournal({ ...newJournal('shop', 'blue', '1'), outbox });
  const ledger = await Ledger.readOnly({
    read: () => Promise.resolve({ revision: 1, text, where: 'the test' }),
    write: () => Promise.reject(new Error('nothing is written here')),
  });
  const { signal } = new AbortController();
  return new Context({ environment, platform: {} as Platform, ledger, emit: () => undefined, signal, walks: true });
}

test('what hooks left has one limit for all, ends when the command is stopped, and one that is silent delays no other', async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (request.url === '/good') response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const c = await contextWith((server.address() as AddressInfo).port, 50);
    const begun = performance.now();
    const settled = await deliverOutbox(c, 'messages', c.signal);
    expect(performance.now() - begun).toBeLessThan(10_000);
    expect(settled.size).toBe(50);
    expect(asked.filter((path) => path === '/silent')).toHaveLength(1);

    const stopped = AbortSignal.abort();
    expect(await deliverOutbox(c, 'messages', stopped)).toEqual(new Map());
    expect(asked).toHaveLength(51);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
