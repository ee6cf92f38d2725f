import { readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { execa } from 'execa';
import { Webhook } from 'standardwebhooks';
import { expect, test, vi } from 'vitest';
import { hooksSchema } from '../../src/model/hooks.ts';
import { parseJournal } from '../../src/model/journal-text.ts';
import type { Verb } from '../../src/model/transitions.ts';
import { withOperator } from '../../src/operations/operator.ts';
import { perform } from '../../src/operations/perform.ts';
import { main } from '../support/cli.ts';
import { withEnvironment } from '../support/environment.ts';
import { failure } from '../support/failure.ts';
import { temporaryFolder } from '../support/postgres.ts';
import { until } from '../support/until.ts';

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly event: {
    readonly id: string;
    readonly type: string;
    readonly text?: string;
    readonly data: Record<string, unknown>;
  };
}

const secret = 'a secret that both know';

test('hooks are asked and told: a refusal or silence stops the verb before anything moved; what fails later is sent again with its id', async () => {
  const received: Received[] = [];
  /** By path: a status, `hang` for no answer, several for one question each; without one 204. */
  type Answer = { status: number; body: string } | 'hang';
  const answers = new Map<string, Answer | Answer[]>();
  const hanging: ServerResponse[] = [];
  const receiver = createServer((request, response) => {
    void text(request).then((body) => {
      const path = request.url ?? '';
      received.push({ path, headers: request.headers, body, event: JSON.parse(body) as Received['event'] });
      const given = answers.get(path);
      const answer = (Array.isArray(given) ? given.shift() : given) ?? { status: 204, body: '' };
      if (answer === 'hang') hanging.push(response);
      else response.writeHead(answer.status).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const at = (path: string): string => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}${path}`;
  vi.stubEnv('HOOK_SECRET', secret).stubEnv('CHAT_URL', at('/chat'));
  const folder = await temporaryFolder();
  const file = join(folder, 'event.json');
  const note = (on: string) => ({ statement: "INSERT INTO note (text) VALUES ('noted')", on, role: 'shop_app' });
  const hooks = {
    freeze: {
      before: ['switch'],
      blocking: true,
      limit: '1500ms',
      http: { url: at('/freeze'), secretEnv: 'HOOK_SECRET' },
    },
    told: { after: ['switch', 'seed/promote'], limit: '1s', http: { url: at('/told') } },
    chat: { failed: ['switch'], limit: '3s', slack: { urlEnv: 'CHAT_URL' } },
    program: { before: ['seed'], blocking: true, command: ['tee', file] },
    note: { after: ['verify'], sql: note('live') },
  };
  const fill = 'CREATE TABLE note (id serial PRIMARY KEY, text text)';
  try {
    await withEnvironment(
      { declaration: { hooks }, fill: async (client) => void (await client.query(fill)) },
      async ({ environment, platform, declaration, home, verb, operator, on }) => {
        const paths = (): string[] => received.splice(0).map(({ path: each }) => each);
        const journal = async () => parseJournal((await platform.journal.read())?.text ?? '', 'the test');
        const run = (more: unknown, wanted: Verb) =>
          withOperator(
            {
              environment: { ...environment, hooks: hooksSchema.parse(more) },
              platform,
              emit: () => undefined,
              signal: new AbortController().signal,
            },
            wanted,
            (c) => perform(c, wanted),
          );

        const nowhere = { told: { after: ['seed/promtoe'], http: { url: at('/told') } } };
        expect(await failure(run(nowhere, 'seed'))).toMatchObject({ id: 'hook-misplaced' });
        await verb('seed');
        expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
          specversion: '1.0',
          source: '/verdigris/shop',
          type: 'dev.verdigris.before.seed',
          data: { state: 'single', live: 'blue', severity: 'info' },
        });
        expect(received.map(({ event }) => event.type)).toEqual(['dev.verdigris.after.seed.promote']);
        expect(paths()).toEqual(['/told']);
        await verb('migrate');
        const intruder = { intruder: { before: ['verify'], blocking: true, sql: note('candidate') } };
        const intruded = await failure(run(intruder, 'verify'));
        expect(intruded).toMatchObject({ id: 'hook-refused' });
        expect(intruded.seen).toContain('read-only transaction');
        await verb('verify');
        await on('blue', async (client) =>
          expect((await client.query('SELECT text FROM note')).rows).toEqual([{ text: 'noted' }]),
        );

        // A refusal ends it at once, a silence when its limit is over; before either nothing was done.
        const before = { ...(await journal()), token: 0, timeline: [], outbox: [], acts: [] };
        answers.set('/freeze', { status: 409, body: 'frozen until Monday' });
        const refused = await failure(verb('switch'));
        expect(refused).toMatchObject({ id: 'hook-refused', code: 'refused' });
        expect(refused.seen).toContain('it answered 409: frozen until Monday');
        answers.set('/freeze', 'hang');
        expect(await failure(verb('switch'))).toMatchObject({ id: 'hook-unanswered' });
        answers.set('/freeze', { status: 503, body: '' });
        expect((await failure(verb('switch'))).seen).toContain('did not consent within 1.5s: it answered 503');
        const after = { ...(await journal()), token: 0, timeline: [], outbox: [], acts: [] };
        expect(after).toEqual(before);
        const asked = received.filter(({ path: each }) => each === '/freeze');
        expect(asked.length).toBeGreaterThan(3);
        const [first] = asked;
        if (!first) throw new Error('nothing was asked');
        const signed = first.headers as Record<string, string>;
        expect(() => new Webhook(secret, { format: 'raw' }).verify(first.body, signed)).not.toThrow();
        expect(() => new Webhook('another', { format: 'raw' }).verify(first.body, signed)).toThrow();
        expect(received.filter(({ path: each }) => each === '/chat').map(({ event }) => event.text)).toEqual([
          expect.stringContaining('switch failed. The hook freeze, before switch, refused: it answered 409'),
          expect.stringContaining('switch failed'),
          expect.stringContaining('switch failed'),
        ]);
        received.length = 0;

        // Killed while it tells that the writes have moved: the next command tells it again, and what fails stays to be
        // told.
        answers.set('/freeze', [{ status: 500, body: '' }]);
        answers.set('/told', 'hang');
        const killed = execa(process.execPath, [main, 'switch', '--file', declaration], {
          env: { VERDIGRIS_HOME: home },
          reject: false,
        });
        await until('the after hook', () => received.some(({ path: each }) => each === '/told'), 60_000);
        killed.kill('SIGKILL');
        await killed;
        // A gate that fails once is asked again, with the same id.
        const gate = received.filter(({ path: each }) => each === '/freeze').map(({ event }) => event.id);
        expect([gate.length, new Set(gate).size]).toEqual([2, 1]);
        expect((await journal()).operation).toMatchObject({ verb: 'switch', phase: 'complete' });
        answers.set('/told', { status: 503, body: '' });
        await verb('switch');
        expect(await journal()).toMatchObject({
          state: 'switched',
          live: 'green',
          operation: null,
          outbox: [{ hook: 'told' }],
        });
        answers.delete('/told');
        await operator(() => Promise.resolve());
        const told = received.filter(({ path: each }) => each === '/told');
        expect(new Set(told.map(({ event }) => event.id)).size).toBe(1);
        expect(told.length).toBeGreaterThan(3);
        expect(told.at(-1)?.event.data).toMatchObject({ state: 'switched', live: 'green', liveRelease: '2' });
        expect((await journal()).outbox).toEqual([]);

        // Whoever does not answer keeps no other command out.
        received.length = 0;
        answers.set('/chat', 'hang');
        const failing = failure(verb('switch'));
        await until('the failure is told', () => received.some(({ path: each }) => each === '/chat'));
        expect(await platform.leases.holder()).toBeUndefined();
        await failing;
        expect((await journal()).outbox).toMatchObject([{ hook: 'chat' }]);
      },
    );
  } finally {
    for (const response of hanging) response.destroy();
    receiver.close();
    await rm(folder, { recursive: true, force: true });
  }
});
