import { access, constants, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { VerdigrisError } from '../model/errors.ts';

/** Before minutes of work go into a page that could not be written. */
export async function requirePageFolder(file: string): Promise<void> {
  await access(path.dirname(path.resolve(file)), constants.W_OK).catch((cause: unknown) => fail(file, cause));
}

/** Only its owner may read it: it holds names, sizes and statements. */
export async function writePage(file: string, text: string): Promise<void> {
  await writeFile(file, text, { mode: 0o600 }).catch((cause: unknown) => fail(file, cause));
}

function fail(file: string, cause: unknown): never {
  throw new VerdigrisError('page-file', {
    seen: `${file} cannot be written: ${(cause as Error).message}.`,
    required: 'a file in an existing, writable folder.',
    next: 'name another one with --html.',
    cause,
  });
}
