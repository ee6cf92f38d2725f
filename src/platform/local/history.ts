import { readFile } from 'node:fs/promises';
import type { HistoryEntry, HistoryStore } from '../port/history.ts';
import { writeDurably } from '../../machine/durable.ts';

/** Finished releases, a JSON line each. */
export class LocalHistory implements HistoryStore {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** The same release again is not appended again: the step that does this may be repeated after a crash. */
  async append(entry: HistoryEntry): Promise<void> {
    const all = await this.list();
    if (all.some((other) => other.startedAt === entry.startedAt)) return;
    await writeDurably(this.#file, [...all, entry].map((each) => `${JSON.stringify(each)}\n`).join(''));
  }

  async list(): Promise<HistoryEntry[]> {
    const text = await readFile(this.#file, 'utf8').catch(() => '');
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as HistoryEntry);
  }
}
