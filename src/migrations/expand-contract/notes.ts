import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { VerdigrisError } from '../../model/errors.ts';
import { filesBelow } from '../folder.ts';

/**
 * What a migration's author says of an object that goes: `-- verdigris: contract shop.customers.name last-used-by 41`.
 */
export interface ContractNote {
  readonly object: string;
  /** The last release whose software uses the old shape; undefined where it is said that none does, for `reason`. */
  readonly lastUsedBy?: string | undefined;
  readonly reason?: string | undefined;
  /** `file:line`, for people. */
  readonly at: string;
}

/**
 * What a migration's author says of an object that comes: `-- verdigris: expand shop.customers.full_name replaces
 * shop.customers.name`.
 */
export interface ExpandNote {
  readonly object: string;
  readonly replaces: string;
  readonly at: string;
}

export interface Notes {
  readonly contract: readonly ContractNote[];
  readonly expand: readonly ExpandNote[];
}

const begin = /verdigris:\s*(contract|expand)\b[^\n]*/i;
const contract = /^verdigris:\s*contract\s+(\S.*?)\s+(?:last-used-by\s+(\S.*?)|unused\s+because\s+(\S.*?))$/i;
const expand = /^verdigris:\s*expand\s+(\S.*?)\s+replaces\s+(\S.*?)$/i;

/** The notes of one file, whatever its language: a note ends with its line, or with the comment that holds it. */
export function parseNotes(text: string, file: string): Notes {
  const found = { contract: [] as ContractNote[], expand: [] as ExpandNote[] };
  for (const [index, line] of text.split('\n').entries()) {
    const said = begin.exec(line)?.[0].replace(/\s*(\*\/|-->|["'],?)?\s*$/, '');
    if (said === undefined) continue;
    const at = `${file}:${index + 1}`;
    const [, object, lastUsedBy, reason] = contract.exec(said) ?? [];
    const [, added, replaces] = expand.exec(said) ?? [];
    if (object !== undefined) found.contract.push({ object: plain(object), lastUsedBy, reason, at });
    else if (added !== undefined && replaces !== undefined)
      found.expand.push({ object: plain(added), replaces: plain(replaces), at });
    else throw malformed(at, said);
  }
  return found;
}

/** The notes of all files of a folder of migrations, and of the folders in it. */
export async function readNotes(folder: string | undefined): Promise<Notes> {
  const all = folder === undefined ? [] : await filesBelow(folder).catch(() => []);
  const files = all.filter((file) => !file.split(path.sep).includes('node_modules'));
  const notes = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(file, 'utf8');
      return text.includes('\0') ? { contract: [], expand: [] } : parseNotes(text, path.relative(folder ?? '', file));
    }),
  );
  return { contract: notes.flatMap(({ contract }) => contract), expand: notes.flatMap(({ expand }) => expand) };
}

/** Names as findings print them: without quotes, one space after a comma. */
export function plain(object: string): string {
  return object
    .trim()
    .replaceAll('"', '')
    .replaceAll(/\s*,\s*/g, ', ');
}

function malformed(at: string, said: string): VerdigrisError {
  return new VerdigrisError('contract-note', {
    seen: `${at}: ${said}`,
    required:
      '`contract OBJECT last-used-by RELEASE`, `contract OBJECT unused because REASON` or `expand OBJECT replaces OBJECT`, in one line.',
    next: 'fix the comment; docs/expand-contract.md has examples.',
    facts: { at },
  });
}
