import { open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { isDiskFull } from '../model/failures.ts';

/**
 * Files beside what must be written whatever happens, with blocks of their own: where the disk is full, one is written
 * over in place and takes the name of what was to be written. No block is given back in between, so nobody else can
 * take it.
 */
export class Reserve {
  readonly #name: string;
  readonly #count: number;

  /** `name`: path of the files, before their number. */
  constructor(name: string, count: number) {
    this.#name = name;
    this.#count = count;
  }

  /** Makes what is missing or smaller than `bytes`, as far as there is room. */
  async keep(bytes: number): Promise<void> {
    for (const file of this.#files()) {
      const there = await stat(file).catch(() => undefined);
      if (there && there.size >= bytes) continue;
      const made = `${file}.new`;
      try {
        // Not zeros: those a filesystem may keep without a block.
        await writeFile(made, Buffer.alloc(bytes, 'reserve\n'), { flush: true, mode: 0o600 });
        await rename(made, file);
      } catch (error) {
        await rm(made, { force: true });
        if (!isDiskFull(error)) throw error;
        return;
      }
    }
  }

  /** False where nothing is left. */
  async write(file: string, text: string): Promise<boolean> {
    for (const kept of this.#files()) {
      const taken = await rename(kept, file).then(
        () => true,
        () => false,
      );
      if (!taken) continue;
      const handle = await open(file, 'r+');
      try {
        const { bytesWritten } = await handle.write(text);
        await handle.truncate(bytesWritten);
        await handle.sync();
        return bytesWritten === Buffer.byteLength(text);
      } finally {
        await handle.close();
      }
    }
    return false;
  }

  #files(): string[] {
    return Array.from({ length: this.#count }, (_, index) => `${this.#name}-${index + 1}`);
  }
}
