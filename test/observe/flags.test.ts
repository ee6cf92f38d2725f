import { OFREPProvider } from '@openfeature/ofrep-provider';
import { OpenFeature } from '@openfeature/server-sdk';
import { expect, test } from 'vitest';
import { readingPlatform } from '../../src/observe/reading.ts';
import { Facts } from '../../src/observe/flags/facts.ts';
import { serveFlags } from '../../src/observe/flags/server.ts';
import { withEnvironment } from '../support/environment.ts';

/** Milliseconds between two questions of the software's. */
const every = 20;

test('an OpenFeature SDK sees a switchover and a rollback within a second, nothing in between, and its default where nobody answers', async () => {
  const flags = { checkout: { release: '2', share: 50 } };
  await withEnvironment({ declaration: { flags } }, async ({ environment, platform, verb, commits, clients }) => {
    const end = new AbortController();
    const listening = Promise.withResolvers<number>();
    const facts = new Facts(() => Promise.resolve({ environment, platform: readingPlatform(platform) }));
    const serving = serveFlags(facts, {
      host: '127.0.0.1',
      port: 0,
      signal: end.signal,
      onListening: listening.resolve,
    });
    const baseUrl = `http://127.0.0.1:${await listening.promise}`;
    await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl }));
    const software = OpenFeature.getClient();
    expect(await software.getStringValue('verdigris.release', 'none')).toBe('1');
    expect(await software.getBooleanValue('verdigris.schema.2', false)).toBe(false);
    expect(await software.getBooleanDetails('nothing', true)).toMatchObject({
      value: true,
      errorCode: 'FLAG_NOT_FOUND',
    });
    for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);

    const seen: { at: number; value: boolean }[] = [];
    const asking = setInterval(
      () =>
        void software
          .getBooleanValue('verdigris.schema.2', false)
          .then((value) => seen.push({ at: Date.now(), value })),
      every,
    );
    try {
      const { verdict } = await clients(async () => {
        await verb('switch');
        await expect.poll(() => seen.at(-1)?.value, { timeout: 10_000 }).toBe(true);
        await expect.poll(() => software.getBooleanValue('verdigris.rollback', false), { timeout: 10_000 }).toBe(true);
        const on = await Promise.all(
          Array.from({ length: 40 }, (_, at) =>
            software.getBooleanValue('checkout', false, { targetingKey: `u${at}` }),
          ),
        );
        expect(new Set(on)).toEqual(new Set([true, false]));
        await verb('rollback');
        await expect.poll(() => seen.at(-1)?.value, { timeout: 10_000 }).toBe(false);
      });
      expect(verdict).toMatchObject({ lost: { count: 0 }, doubled: { count: 0 } });
    } finally {
      clearInterval(asking);
    }
    const [there, back] = commits;
    const turns = seen.filter(({ value }, at) => value !== (seen[at - 1]?.value ?? false));
    expect(turns.map(({ value }) => value)).toEqual([true, false]);
    expect(Math.abs((turns[0]?.at ?? 0) - Number(there?.at))).toBeLessThan(1_000);
    expect(Math.abs((turns[1]?.at ?? 0) - Number(back?.at))).toBeLessThan(1_000);

    const all = await fetch(`${baseUrl}/ofrep/v1/evaluate/flags`, { method: 'POST', body: '{}' });
    const again = { method: 'POST', body: '{}', headers: { 'if-none-match': all.headers.get('etag') ?? '' } };
    expect((await fetch(`${baseUrl}/ofrep/v1/evaluate/flags`, again)).status).toBe(304);
    for (const [body, status] of [
      ['[', 400],
      ['[]', 400],
      ['{"context":{"targetingKey":7}}', 400],
      ['x'.repeat(70_000), 413],
    ] as const)
      expect((await fetch(`${baseUrl}/ofrep/v1/evaluate/flags/checkout`, { method: 'POST', body })).status).toBe(
        status,
      );

    end.abort();
    await serving;
    expect(await software.getBooleanValue('verdigris.schema.2', false)).toBe(false);
    await OpenFeature.close();
  });
});
