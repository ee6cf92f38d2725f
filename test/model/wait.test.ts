import { stat } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { answerWithin, waitFor } from '../../src/model/wait.ts';

test("an answer that came while this process had no processor is no silence; nobody's answer is", async () => {
  const answer = answerWithin(100, '', stat('.'));
  // The file system answers meanwhile, by another thread, and nobody reads it.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  expect((await answer).isDirectory()).toBe(true);
  await expect(answerWithin(50, ' of nobody', new Promise(() => undefined))).rejects.toThrow(
    'no answer of nobody within 50 ms',
  );
});

test('a wait that is cut off ends with the reason of whoever cut it off', async () => {
  const cut = new AbortController();
  const options = { limit: 60_000, every: 50_000, what: 'nothing', next: 'nothing.', signal: cut.signal };
  const ended = waitFor(() => Promise.resolve(undefined), options);
  await new Promise((resolve) => setImmediate(resolve));
  cut.abort(new Error('the lease is lost'));
  await expect(ended).rejects.toThrow('the lease is lost');
});
