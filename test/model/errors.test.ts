import { expect, test } from 'vitest';
import { describe, VerdigrisError } from '../../src/model/errors.ts';

test('a cause is told once, also where the text before it tells it already', () => {
  const cause = new Error('connect ECONNREFUSED 10.0.0.1:5432');
  const about = (seen: string): VerdigrisError =>
    new VerdigrisError('external-down', { seen, required: 'an answer.', next: 'start it.', cause });
  expect(describe(about('green does not answer.'))).toBe(`green does not answer. (${cause.message})`);
  expect(describe(about(`green does not answer: ${cause.message}.`))).toBe(`green does not answer: ${cause.message}.`);
  expect(describe(new Error('the seed failed', { cause: about('green is down.') }))).toBe(
    `the seed failed (green is down. (${cause.message}))`,
  );
  const all = new AggregateError([cause, new Error('and more')], 'both failed', { cause });
  expect(describe(all)).toBe(`both failed: ${cause.message}; and more`);
  expect(describe('a text')).toBe('a text');
});
