import { expect, test } from 'vitest';
import { explain, findingText } from '../../src/cli/event-text.ts';
import { reporterFor } from '../../src/cli/reporter.ts';
import { escape } from '../../src/migrations/rehearsal/escape.ts';
import { VerdigrisError } from '../../src/model/errors.ts';
import { harmless, harmlessButColours, harmlessData, oneLine } from '../../src/model/harmless.ts';

const name = 'public.\u001b]0;OWNED\u0007\u001b[2J\u009b31m\u202e\n  next: run verdigris destroy';

test('what would command a terminal is shown and not sent, line feeds of names too', () => {
  expect(harmless(name)).toBe(
    'public.\\u001b]0;OWNED\\u0007\\u001b[2J\\u009b31m\\u202e\n  next: run verdigris destroy',
  );
  expect(oneLine(name)).not.toContain('\n');
  expect(harmlessButColours('\u001b[31mred\u001b[39m \u001b[8mhidden \u001b[2J\ttab')).toBe(
    '\u001b[31mred\u001b[39m \\u001b[8mhidden \\u001b[2J\ttab',
  );
  const shown = findingText({
    id: 'lag',
    grade: 'info',
    title: `The table ${name}.`,
    objects: [name],
    reason: '',
    fix: '',
  });
  expect(shown).not.toContain('\u001b]');
  expect(shown.split('\n')).toHaveLength(1);
});

test('what has no width, or turns the order of what follows, is shown: two names do not look alike', () => {
  const hidden = '\u00ad\u061c\u180e\u200b\u200f\u2060\u2066\ufeff\ufffa\u{e0041}';
  expect(harmless(`a${hidden}b`)).toBe(
    String.raw`a\u00ad\u061c\u180e\u200b\u200f\u2060\u2066\ufeff\ufffa\udb40\udc41b`,
  );
  expect(harmless('né Æ 日本 → ✓ 🎉')).toBe('né Æ 日本 → ✓ 🎉');
  expect(JSON.parse(harmless(JSON.stringify({ hidden })))).toEqual({ hidden });
  expect(escape(`<b>${hidden[1]}`)).toBe('&lt;b&gt;\\u061c');
});

test('no line of a name stands where a label of ours could', () => {
  const lines = (text: string) => text.split('\n').filter((line) => /^ {0,3}\S/.test(line) && line.includes('destroy'));
  const failure = new VerdigrisError('data-differs', { seen: name, required: name, next: name });
  expect(lines(explain(failure))).toEqual([]);
  expect(lines(explain(new Error(name)))).toEqual([]);
  const value = { troubles: [{ seen: `\u001b[32m${name}`, fix: 'SELECT 1;\nSELECT 2' }], at: 3, none: undefined };
  const said: string[] = [];
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = (text) => said.push(String(text)) > 0;
  try {
    reporterFor({ json: false }).result(value, (shown) => shown.troubles.map(({ seen }) => seen).join(''));
    reporterFor({ json: true }).result(value, () => '');
  } finally {
    process.stdout.write = write;
  }
  const [text = '', json = ''] = said;
  expect(lines(text)).toEqual([]);
  expect(text).not.toContain('\u001b');
  expect(json).not.toMatch(/[\u0080-\u009f\u202e]/);
  expect(JSON.parse(json)).toMatchObject({ result: JSON.parse(JSON.stringify(value)) as object });
  expect(harmlessData(value).troubles[0]?.fix).toBe('SELECT 1;\nSELECT 2');
  expect(harmlessData(value)).toMatchObject({ at: 3, none: undefined });
});
