import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test, vi } from 'vitest';
import type { Environment } from '../../src/model/environment.ts';
import { flagsSchema } from '../../src/model/flags.ts';
import { flagStoresSchema } from '../../src/model/flag-stores.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { withOperator } from '../../src/operations/operator.ts';
import { perform } from '../../src/operations/perform.ts';
import { withEnvironment } from '../support/environment.ts';
import { failure } from '../support/failure.ts';

test('flags are turned on once the writes have moved and back before they do again; what a store did not take, the next command does', async () => {
  const asked: string[] = [];
  let away = false;
  // Stands in for LaunchDarkly and Unleash: it answers as their documentation says, and notes what was asked.
  const standIn = createServer((request, response) => {
    void text(request).then((body) => {
      if (away) return response.writeHead(503).end('away');
      const kind = /"kind":"(\w+)"/.exec(body)?.[1] ?? '';
      asked.push(`${request.method} ${request.url} ${request.headers.authorization} ${kind}`.trimEnd());
      response.writeHead(200).end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(standIn, 'listening');
  vi.stubEnv('FLAG_TOKEN', 'secret');
  const url = `http://127.0.0.1:${(standIn.address() as AddressInfo).port}`;
  const rest = { url, project: 'p', environment: 'production', tokenEnv: 'FLAG_TOKEN' };
  const launchDarkly = (kind: string) => `PATCH /api/v2/flags/p/checkout secret ${kind}`;
  const unleash = (way: string) => `POST /api/admin/projects/p/features/checkout/environments/production/${way} secret`;
  try {
    await withEnvironment({}, async ({ folder, environment, platform, emit }) => {
      const file = path.join(folder, 'flags.json');
      await writeFile(file, '{ "flags": {} }\n');
      const declared: Environment = {
        ...environment,
        flags: flagsSchema.parse({ checkout: { release: '2' } }),
        flagStores: flagStoresSchema.parse({
          file: { flagd: { file } },
          ld: { launchDarkly: rest },
          unleash: { unleash: rest },
        }),
      };
      const { signal } = new AbortController();
      const run = (verb: 'seed' | 'migrate' | 'verify' | 'switch' | 'rollback') =>
        withOperator({ environment: declared, platform, emit, signal }, verb, (c) => perform(c, verb, { early: true }));
      const variant = async (): Promise<unknown> => {
        const { flags } = JSON.parse(await readFile(file, 'utf8')) as {
          flags: Record<string, { defaultVariant: string }>;
        };
        return flags['checkout']?.defaultVariant;
      };
      for (const verb of ['seed', 'migrate', 'verify'] as const) await run(verb);
      expect(await variant()).toBe('off');
      expect(asked.splice(0)).toEqual([launchDarkly('turnFlagOff'), unleash('off')]);

      // A store that is away stops no switchover; the next command turns there what was not.
      away = true;
      await run('switch');
      expect(await variant()).toBe('on');
      expect((await readJournal(platform.journal)).flags).toMatchObject({
        file: { checkout: true },
        ld: { checkout: false },
      });
      away = false;
      await withOperator({ environment: declared, platform, emit, signal }, 'test', () => Promise.resolve());
      expect(asked.splice(0)).toEqual([launchDarkly('turnFlagOn'), unleash('on')]);

      // Before a rollback it does; then nothing has moved, and the flags are as they were.
      away = true;
      const refused = await failure(run('rollback'));
      expect(refused).toMatchObject({ id: 'flags-not-turned' });
      expect(refused.seen).toContain('ld: it answered 503: away');
      expect(await readJournal(platform.journal)).toMatchObject({ state: 'switched', live: 'green', operation: null });
      expect(await variant()).toBe('on');
      away = false;
      await run('rollback');
      expect(await variant()).toBe('off');
      expect(asked.splice(0)).toEqual([launchDarkly('turnFlagOff'), unleash('off')]);
      expect((await readJournal(platform.journal)).live).toBe('blue');
    });
  } finally {
    standIn.closeAllConnections();
    standIn.close();
  }
});
