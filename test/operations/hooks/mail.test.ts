import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';
import { expect, test } from 'vitest';
import { sendMail } from '../../../src/operations/hooks/mail.ts';
import type { HookEvent } from '../../../src/operations/hooks/event.ts';

function event(id: string, severity: 'info' | 'error'): HookEvent {
  return {
    specversion: '1.0',
    id,
    source: '/verdigris/shop',
    type: 'dev.verdigris.after.switch',
    subject: 'release 41 to 42',
    time: '2026-01-01T00:00:00.000Z',
    datacontenttype: 'application/json',
    data: {
      environment: 'shop',
      verb: 'switch',
      moment: severity === 'error' ? 'failed' : 'after',
      severity,
      state: 'switched',
      live: 'green',
      liveRelease: '42',
    },
  };
}

test('mail comes as one thread for a release; what the receiver refuses, refuses for now and never answers is told apart', async () => {
  const mails: string[] = [];
  const take = async (stream: Readable, done: () => void): Promise<void> => {
    mails.push(await text(stream));
    done();
  };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo({ address }, _, done) {
      const responseCode = { 'nobody@shop.example': 550, 'later@shop.example': 451 }[address];
      done(responseCode === undefined ? null : Object.assign(new Error('no'), { responseCode }));
    },
    onData(stream, _, done) {
      void take(stream, done);
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const urlOf = (of: Server): string => `smtp://127.0.0.1:${(of.address() as AddressInfo).port}`;
  const send = (of: HookEvent, to = 'dba@shop.example', url = urlOf(server.server), limit = 5_000) =>
    sendMail({ url, from: 'verdigris@shop.example', to: [to] }, limit, of, AbortSignal.timeout(limit));
  try {
    expect(await send(event('a', 'info'))).toEqual({ kind: 'done' });
    expect(await send(event('b', 'error'))).toEqual({ kind: 'done' });
    expect(await send(event('a', 'info'))).toEqual({ kind: 'done' });
    const header = (name: string): (string | undefined)[] =>
      mails.map((mail) => new RegExp(`^${name}: (.+?)\\r$`, 'im').exec(mail)?.[1]);
    const [first, second, again] = header('Message-ID');
    expect(first).toBe(again);
    expect(first).not.toBe(second);
    expect(new Set(header('References')).size).toBe(1);
    expect(new Set(header('Subject'))).toEqual(new Set(['shop, release 41 to 42']));
    expect(header('Importance')).toEqual([undefined, 'High', undefined]);
    expect(mails[0]).toContain('switch is done; green is live with release 42');

    expect(await send(event('c', 'info'), 'nobody@shop.example')).toMatchObject({ kind: 'refused' });
    expect(await send(event('c', 'info'), 'later@shop.example')).toMatchObject({ kind: 'unanswered' });
    const late = { kind: 'unanswered', why: 'it did not answer in time' };
    expect(await send(event('c', 'info'), 'dba@shop.example', urlOf(silent), 300)).toEqual(late);
    expect(await send(event('c', 'info'), 'dba@shop.example', 'smtp://127.0.0.1:1')).toMatchObject({
      kind: 'unanswered',
    });
  } finally {
    await new Promise<void>((resolve) => server.close(resolve));
    silent.close();
  }
});
