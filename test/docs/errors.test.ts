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

function filesOf(folder: string): { name: string; text: string }[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('error-catalogue.ts'))
    .map((name) => ({ name, text: readFileSync(path.join(root, folder, name), 'utf8') }));
}

const textOf = (folder: string): string =>
  filesOf(folder)
    .map(({ text }) => text)
    .join('\n');

/** Ids whose next step is about the very thing that is wrong, each with what they have in common. */
const severalSituations = {
  'lint-config': "a file of the linter's settings cannot be used: which of them, and what in it, is the next step",
  'migration-out-of-order': "files do not run in the order of their names: by version, or by the tool's time",
  'patch-refused': 'a patch of the declaration names, reaches or changes what it may not',
  'wrong-answer': "the clients' path leads to another colour than the live one: when it is declared, or when tried",
};

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

  test('an id has one builder: it is given in one file, save where it means several situations', () => {
    const builders = new Map<string, Set<string>>();
    for (const { name, text } of filesOf('src'))
      for (const [, id = ''] of text.matchAll(/new VerdigrisError\(\s*'([a-z0-9-]+)'/g))
        builders.set(id, (builders.get(id) ?? new Set()).add(name));
    const several = [...builders].flatMap(([id, files]) => (files.size > 1 ? [id] : []));
    expect(several.sort()).toEqual(Object.keys(severalSituations).sort());
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

  test('each section says what was seen (a finding: its grade, and what it found), why, and what to do', () => {
    const form = /^[a-z0-9-]+\n(?:\*\*Seen\.\*\* |\*\([^)]+\)\* ).+\*\*Why\.\*\* .+\*\*Do\.\*\* /s;
    for (const section of document('docs/errors.md').split(/^### /m).slice(1)) expect(section).toMatch(form);
  });
});
