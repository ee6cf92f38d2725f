import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { colours, type Colour } from '../../model/colours.ts';
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
 * Which servers there are: as it is written down, and where a colour's record was lost, as its directory says. Changed
 * by compare-and-swap: whoever slept between reading and writing reads again, and so cannot bring back or take away what
 * others did meanwhile.
 */
export class Records {
  readonly #files: NumberedFiles;
  readonly #legacy: string;
  readonly #found: () => Promise<ServerRecords>;

  /**
   * `legacy`: the one file that 0.1.0 wrote, which counts until the first change. `found`: what the directories say.
   */
  constructor(folder: string, legacy: string, found: () => Promise<ServerRecords> = () => Promise.resolve({})) {
    this.#files = new NumberedFiles(folder, 4, '-servers.json');
    this.#legacy = legacy;
    this.#found = found;
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
    const records = parsed(text);
    const lost = Object.entries(await this.#found()).filter(
      ([colour, { generation }]) => generation > (records[colour as Colour]?.generation ?? 0),
    );
    return { number: newest?.number ?? 0, records: { ...records, ...Object.fromEntries(lost) } };
  }
}

/** One that was cut is as good as lost. */
function parsed(text: string): ServerRecords {
  try {
    return recordsSchema.parse(JSON.parse(text));
  } catch {
    return {};
  }
}
