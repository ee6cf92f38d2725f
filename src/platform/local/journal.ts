import { readFile } from 'node:fs/promises';
import { journalConflict } from '../../model/failures.ts';
import type { JournalStore } from '../port/journal.ts';
import { NumberedFiles } from './files.ts';

/**
 * The journal as numbered revisions in a folder; the last few stay, so that a damaged one has a neighbour to compare
 * with.
 */
export class LocalJournal implements JournalStore {
  readonly #revisions: NumberedFiles;

  constructor(folder: string) {
    this.#revisions = new NumberedFiles(folder, 8);
  }

  async read(): Promise<{ revision: number; text: string; where: string } | undefined> {
    const newest = await this.#revisions.newest();
    return newest && { revision: newest.number, text: newest.text, where: newest.file };
  }

  async before(): Promise<{ text: string; where: string } | undefined> {
    const newest = await this.#revisions.newest();
    if (!newest) return undefined;
    const where = this.#revisions.file(newest.number - 1);
    const text = await readFile(where, 'utf8').catch(() => undefined);
    return text === undefined ? undefined : { text, where };
  }

  keepReserve(): Promise<void> {
    return this.#revisions.keepReserve();
  }

  async write(expected: number, text: string, reserve?: boolean): Promise<number> {
    if (await this.#revisions.claim(expected + 1, text, reserve)) return expected + 1;
    throw journalConflict(expected + 1);
  }
}
