import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { errorCatalogue, exitCodes } from '../../src/model/error-catalogue.ts';
import { VerdigrisError } from '../../src/model/errors.ts';
import { findingCatalogue } from '../../src/model/finding-catalogue.ts';
import { document, root } from './sources.ts';

const sections = (text: string, mark: string): string[] =>
  [...text.matchAll(new RegExp(`^${mark} ([a-z0-9-]+)$`, 'gm'))].map((match) => match[1] ?? '');
const catalogue = Object.keys(errorCatalogue);
const errors = sections(document('docs/errors.md'), '###');

function textOf(folder: string): string {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('error-catalogue.ts'))
    .map((name) => readFileSync(path.join(root, folder, name), 'utf8'))
    .join('\n');
}

describe('the catalogue of errors', () => {
  test('every id has a section in docs/errors.md', () => {
    expect(catalogue.filter((id) => !errors.includes(id))).toEqual([]);
  });

  test('every id is given somewhere', () => {
    const text = `${textOf('src')}\n${textOf('stacks')}`;
    expect(catalogue.filter((id) => !text.includes(`'${id}'`))).toEqual([]);
  });

  test('an id has one kind and so one exit code, whoever reports it', () => {
    const words = { seen: 'a', required: 'b', next: 'c' };
    expect(exitCodes[new VerdigrisError('pause-timeout', words).code]).toBe(4);
    expect(exitCodes[new VerdigrisError('port-taken', words).code]).toBe(4);
    // @ts-expect-error: the kind is the catalogue's, not the caller's
    const withKind = (): VerdigrisError => new VerdigrisError('failed', 'pause-timeout', words);
    expect(withKind).toBeTypeOf('function');
  });

  test('what another process reported comes back whole; an id that is unknown here keeps its words', () => {
    const json = new VerdigrisError('stale-token', { seen: 'a', required: 'b', next: 'c', facts: { n: 1 } }).toJSON();
    expect(VerdigrisError.fromJSON(json).toJSON()).toEqual(json);
    expect(VerdigrisError.fromJSON({ ...json, id: 'of-a-newer-version' }).toJSON()).toMatchObject({
      code: 'failed',
      id: 'unexpected',
      seen: 'a',
      facts: { n: 1, id: 'of-a-newer-version' },
    });
  });
});

describe('docs/errors.md', () => {
  test('no section is doubled, and none is about something that is gone', () => {
    const known = new Set([...catalogue, ...Object.keys(findingCatalogue)]);
    expect(errors.filter((id, index) => errors.indexOf(id) !== index)).toEqual([]);
    expect(errors.filter((id) => !known.has(id))).toEqual([]);
  });

  test('each section says what to do', () => {
    for (const section of document('docs/errors.md').split(/^### /m).slice(1)) expect(section).toContain('**Do.**');
  });
});
