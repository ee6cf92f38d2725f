import { expect, test } from 'vitest';
import { keepLease } from '../../src/operations/keep-lease.ts';

/** What `lose` is told within a minute, at which second; renewals come out as `answers` say, the last one for ever. */
async function lost(lasts: number | undefined, ...answers: (boolean | 'fails' | 'hangs')[]): Promise<string> {
  let at = 0;
  let told = 'kept';
  const renew = (): Promise<boolean> => {
    const answer = answers[Math.min(at++, answers.length - 1)];
    if (answer === 'fails') return Promise.reject(new Error('store away'));
    return answer === 'hangs' ? new Promise(() => undefined) : Promise.resolve(answer === true);
  };
  const lease = { token: 1, ...(lasts === undefined ? {} : { lasts }), renew, release: () => Promise.resolve() };
  let now = 0;
  let tick = (): void => undefined;
  const clock = {
    now: () => now,
    every: (_: number, run: () => void) => {
      tick = run;
      return () => undefined;
    },
  };
  keepLease(
    lease,
    (why) => {
      if (told === 'kept') told = `${(why as Error).message} after ${now / 1000} s`;
    },
    clock,
  );
  for (now = 2_000; now <= 60_000; now += 2_000) {
    tick();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return told;
}

test('a lease whose renewal fails is kept until another could take it; one that is taken, or cannot be waited for, is lost at once', async () => {
  expect(await lost(10_000, true)).toBe('kept');
  expect(await lost(10_000, 'fails', 'fails', true, 'fails', true)).toBe('kept');
  expect(await lost(10_000, true, 'fails')).toMatch(/^store away after 10 s$/);
  expect(await lost(10_000, true, 'hangs')).toMatch(/lease.* after 10 s$/i);
  expect(await lost(10_000, true, false)).toMatch(/lease.* after 4 s$/i);
  expect(await lost(undefined, true, 'fails')).toBe('store away after 4 s');
  expect(await lost(undefined, true, 'hangs')).toBe('kept');
});
