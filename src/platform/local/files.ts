import { randomUUID } from 'node:crypto';
import { link, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { syncFolder, writeSynced } from '../../machine/durable.ts';
import { Reserve } from '../../machine/reserve.ts';

/** Files put aside in a folder: an undoing that fails writes twice, each recovery after it twice more. */
const reserved = 4;

/** Bytes that filesystems give at a time. */
const block = 4096;

/** Bytes of a file put aside at least: a journal of a few hundred bytes grows to many times that within one command. */
const leastReserved = 32 * 1024;

/**
 * Files named by number in one folder, of which the highest counts. `claim` makes number n for exactly one of any
 * number of processes: link(2) fails where the name exists, and that is all the locking there is.
 */
export class NumberedFiles {
  readonly folder: string;
  readonly #keep: number;
  readonly #ending: string;
  readonly #reserve: Reserve;

  /**
   * `keep`: how many of the newest stay when one is added. At least 2, so that a reader never finds none. `ending`: of
   * the names, after the number.
   */
  constructor(folder: string, keep: number, ending = '.json') {
    this.folder = folder;
    this.#keep = keep;
    this.#ending = ending;
    this.#reserve = new Reserve(path.join(folder, 'reserve'), reserved);
  }

  /** Puts aside what some more files like the newest one take. */
  async keepReserve(): Promise<void> {
    const size = Buffer.byteLength((await this.newest())?.text ?? '');
    await this.#reserve.keep(Math.max(leastReserved, Math.ceil((2 * size + 1) / block) * block));
  }

  async newest(): Promise<{ number: number; file: string; text: string } | undefined> {
    for (;;) {
      const number = (await this.#numbers()).at(-1);
      if (number === undefined) return undefined;
      const file = this.file(number);
      try {
        return { number, file, text: await readFile(file, 'utf8') };
      } catch (error) {
        // Pruned between the listing and the reading: a newer one exists.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
  }

  /**
   * True where this process made number n and n is the newest. A late claimant of a number long pruned gets false.
   * Where the disk is full: with `reserve` it takes what was put aside, else it throws `disk-full`.
   */
  async claim(number: number, text: string, reserve = false): Promise<boolean> {
    const made = path.join(this.folder, `${randomUUID()}.new`);
    await writeSynced(made, text, reserve ? this.#reserve : undefined);
    try {
      await link(made, this.file(number));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    } finally {
      await rm(made, { force: true });
    }
    const numbers = await this.#numbers();
    if (numbers.at(-1) !== number) {
      await rm(this.file(number), { force: true });
      return false;
    }
    await syncFolder(this.folder);
    for (const old of numbers.slice(0, -this.#keep)) await rm(this.file(old), { force: true });
    return true;
  }

  file(number: number): string {
    return path.join(this.folder, `${String(number).padStart(8, '0')}${this.#ending}`);
  }

  async #numbers(): Promise<number[]> {
    const names = await readdir(this.folder).catch(() => []);
    return names
      .filter((name) => /^\d{8}/.test(name) && name.slice(8) === this.#ending)
      .map((name) => Number.parseInt(name, 10))
      .sort((a, b) => a - b);
  }
}
