import { expect, test } from 'vitest';
import { findingText } from '../../src/cli/event-text.ts';
import { harmless, harmlessButColours, oneLine } from '../../src/model/harmless.ts';

test('what would command a terminal is shown and not sent, line feeds of names too', () => {
  const name = 'public.\u001b]0;OWNED\u0007\u001b[2J\u009b31m\u202e\n  next: run verdigris destroy';
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
