import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const folder = 'src/operations/verbs';
const steps = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .flatMap((name) => [
    ...readFileSync(path.join(folder, name), 'utf8').matchAll(
      /const (\w+): Step = \{\n\s*(?:\.\.\.\w+,\n\s*)?id: '([\w-]+)'/g,
    ),
  ])
  .map(([, constant = '', id = '']) => ({ constant, id }));

/** `clear-colour` is clearColour; a word of the language has an underscore behind it. */
function named(id: string): string {
  const camel = id.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  return camel === 'export' ? 'export_' : camel;
}

test("a step's const is named as its id, so that a line of the log leads to the source", () => {
  expect(steps.length).toBeGreaterThan(30);
  expect(steps.map(({ constant }) => constant)).toEqual(steps.map(({ id }) => named(id)));
});
