import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { colours } from '../../model/colours.ts';
import { NumberedFiles } from './files.ts';

const recordSchema = z.strictObject({
  generation: z.int(),
  major: z.int(),
  port: z.int(),
  /** Folder of the server's socket; left out by Verdigris 0.1.0. */
  sockets: z.string().optional(),
});
const recordsSchema = z.partialRecord(z.enum(colours), recordSchema);

export type ServerRecord = z.output<typeof recordSchema>;
export type ServerRecords = z.output<typeof recordsSchema>;

/**
 * Which servers there are. Changed by compare-and-swap: whoever slept between reading and writing reads again, and so
 * cannot bring back or take away what others did meanwhile.
 */
export class Records {
  readonly #files: NumberedFiles;
  readonly #legacy: string;

  /** `legacy`: the one file that 0.1.0 wrote, which counts until the first change. */
  constructor(folder: string, legacy: string) {
    this.#files = new NumberedFiles(folder, 4, '-servers.json');
    this.#legacy = legacy;
  }

  keepReserve(): Promise<void> {
    return this.#files.keepReserve();
  }

  async read(): Promise<ServerRecords> {
    return (await this.#newest()).records;
  }

  /**
   * `change` says what is to be from what is, and is asked again where somebody else was faster; undefined: nothing is
   * to be changed.
   */
  async change(change: (records: ServerRecords) => ServerRecords | undefined): Promise<void> {
    for (;;) {
      const { number, records } = await this.#newest();
      const next = change(records);
      if (next === undefined || (await this.#files.claim(number + 1, JSON.stringify(next), true))) return;
    }
  }

  async #newest(): Promise<{ number: number; records: ServerRecords }> {
    const newest = await this.#files.newest();
    const text = newest?.text ?? (await readFile(this.#legacy, 'utf8').catch(() => '{}'));
    return { number: newest?.number ?? 0, records: recordsSchema.parse(JSON.parse(text)) };
  }
}
