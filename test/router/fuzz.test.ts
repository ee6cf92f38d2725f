import { afterAll, beforeAll, expect, test } from 'vitest';
import { Pair, TestRouter } from '../support/router.ts';
import { fuzz } from '../support/router-fuzz.ts';

let pair: Pair;
beforeAll(async () => void (pair = await Pair.start()));
afterAll(() => pair[Symbol.asyncDispose]());

/** VERDIGRIS_FUZZ_SECONDS=600 npx vitest run test/router/fuzz.test.ts; VERDIGRIS_FUZZ_SEED for another run of it. */
const seconds = Number(process.env['VERDIGRIS_FUZZ_SECONDS'] ?? 6);
const seed = Number(process.env['VERDIGRIS_FUZZ_SEED'] ?? 7);

test(
  'whatever clients send, in whatever state: honest ones see no error, switchovers succeed, the router is the same process',
  { timeout: (seconds + 60) * 1000 },
  async () => {
    await using router = await TestRouter.start(pair, { log: 'warn' });
    const before = await router.pid();
    const seen = await fuzz(pair, router, seconds * 1000, seed);
    expect(seen.honest, (await router.log()).slice(-3_000)).toEqual([]);
    expect(await router.pid()).toBe(before);
    expect(await router.log()).not.toMatch(/a fault of the router/);
    expect(seen.asked).toBeGreaterThan(20);
    expect(seen.switchovers).toBeGreaterThan(1);
    expect(Math.min(seen.strangers, seen.loggedIn)).toBeGreaterThan(5);
    // In a few seconds on a busy machine not every moment comes.
    if (seconds >= 60) for (const [moment, sent] of Object.entries(seen.sent)) expect(sent, moment).toBeGreaterThan(0);
  },
);
