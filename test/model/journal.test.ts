import { expect, test } from 'vitest';
import { newJournal } from '../../src/model/journal.ts';
import { parseJournal, serializeJournal } from '../../src/model/journal-text.ts';

const whole = serializeJournal(newJournal('shop', 'blue', '1'));

test('what was written is read', () => {
  expect(parseJournal(whole, 'here')).toEqual(newJournal('shop', 'blue', '1'));
});

test.each([
  ['cut short', whole.slice(0, -40), 'journal-cut'],
  ['empty', '', 'journal-cut'],
  ['other JSON', '{"a": 1}', 'journal-cut'],
  ['edited', whole.replace('"single"', '"switched"'), 'journal-edited'],
  ['from a newer version', whole.replace('"version": 1', '"version": 2'), 'journal-newer'],
])('a journal that is %s is refused, never guessed', (_, text, id) => {
  expect(() => parseJournal(text, 'here')).toThrow(expect.objectContaining({ code: 'refused', id }));
});
