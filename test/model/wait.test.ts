import { stat } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { answerWithin } from '../../src/model/wait.ts';

test("an answer that came while this process had no processor is no silence; nobody's answer is", async () => {
  const answer = answerWithin(100, '', stat('.'));
  // The file system answers meanwhile, by another thread, and nobody reads it.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  expect((await answer).isDirectory()).toBe(true);
  await expect(answerWithin(50, ' of nobody', new Promise(() => undefined))).rejects.toThrow(
    'no answer of nobody within 50 ms',
  );
});
