import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test, vi } from 'vitest';
import type { HookEvent } from '../../../src/operations/hooks/event.ts';
import { postToThread } from '../../../src/operations/hooks/slack.ts';
import { threadAfter, threadFor, type Thread } from '../../../src/operations/hooks/thread.ts';

const release = { from: '1', to: '2' };

function event(verb: string, data: Partial<HookEvent['data']> = { release }): HookEvent {
  return {
    specversion: '1.0',
    id: `${verb}-1`,
    source: '/verdigris/shop',
    type: `dev.verdigris.after.${verb}`,
    subject: 'release 1 to 2',
    time: '2026-11-28T11:44:09.201Z',
    datacontenttype: 'application/json',
    data: {
      environment: 'shop',
      verb,
      moment: 'after',
      severity: 'info',
      state: 'seeded',
      live: 'blue',
      liveRelease: '1',
      ...data,
    },
  };
}

test('all messages of one release are one thread, what comes before and after its record too; the next release begins another', () => {
  let known: Thread | undefined;
  const threads: (string | undefined)[] = [];
  const tell = (told: HookEvent, ts: string): void => {
    threads.push(threadFor(known, told));
    known = threadAfter(known, told, ts);
  };
  tell(event('seed', {}), '1.1');
  tell(event('seed'), '1.2');
  tell(event('switch'), '1.3');
  tell(event('retire', {}), '1.4');
  tell(event('seed', {}), '2.1');
  tell(event('migrate', { release: { from: '2', to: '3' } }), '2.2');
  expect(threads).toEqual([undefined, '1.1', '1.1', '1.1', undefined, '2.1']);
  expect(known).toEqual({ id: '2.1', release: '3' });
});

test("a message goes into the thread that is known, a failure to the channel too; Slack's refusals end it, and what passes is tried again", async () => {
  const answers: Readonly<Record<string, string | undefined>> = {
    first: '{"ok":true,"ts":"111.222"}',
    wrong: '{"ok":false,"error":"channel_not_found"}',
    busy: '{"ok":false,"error":"ratelimited"}',
    page: '<html>',
    list: '[]',
    hangs: undefined,
  };
  const seen: { readonly path: string; readonly token: string | undefined; readonly body: unknown }[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const path = (request.url ?? '').slice(1);
      seen.push({ path, token: request.headers.authorization, body: JSON.parse(body) });
      const answer = answers[path];
      if (answer !== undefined) response.end(answer);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  vi.stubEnv('CHAT_TOKEN', 'xoxb-1');
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const bot = { channel: 'C1', tokenEnv: 'CHAT_TOKEN' };
  const post = (path: string, thread?: string, told = event('switch')) =>
    postToThread({ url: `${at}/${path}` }, bot, thread, told, AbortSignal.timeout(500));
  try {
    expect(await post('first')).toEqual({ kind: 'done', thread: '111.222' });
    expect(await post('first', '111.222', event('switch', { release, severity: 'error', moment: 'failed' }))).toEqual({
      kind: 'done',
      thread: '111.222',
    });
    expect(seen.map(({ token, body }) => ({ token, ...(body as object) }))).toMatchObject([
      { token: 'Bearer xoxb-1', channel: 'C1', text: expect.stringContaining('switch is done') },
      { thread_ts: '111.222', reply_broadcast: true },
    ]);
    expect(seen[0]?.body).not.toHaveProperty('thread_ts');
    expect(await post('wrong')).toEqual({ kind: 'refused', why: 'it answered channel_not_found' });
    for (const path of ['busy', 'page', 'list', 'hangs'])
      expect(await post(path), path).toMatchObject({ kind: 'unanswered' });
    const unset = { ...bot, tokenEnv: 'NOBODY_SET_THIS' };
    expect(await postToThread({ url: at }, unset, undefined, event('switch'), AbortSignal.timeout(500))).toEqual({
      kind: 'unanswered',
      why: 'the environment variable NOBODY_SET_THIS is not set',
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
