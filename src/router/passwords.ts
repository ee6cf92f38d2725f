import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { colours, type Colour } from '../model/colours.ts';

/** Of a role: on both servers, or by the colour where they differ. */
export const passwordsSchema = z.record(
  z.string(),
  z.union([z.string(), z.partialRecord(z.enum(colours), z.string())]),
);

export type PasswordsFile = z.output<typeof passwordsSchema>;

/** Passwords of roles, for servers that ask for one when a session is carried over. */
export interface PasswordSource {
  of(role: string, colour: Colour): Promise<string | undefined>;
  /** There may be others now. */
  forget(): void;
}

/** As the operator has written them down. */
export class Passwords implements PasswordSource {
  readonly #file: string;
  #read: Promise<PasswordsFile> | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** The operator may have written others. */
  forget(): void {
    this.#read = undefined;
  }

  async of(role: string, colour: Colour): Promise<string | undefined> {
    // A file that is not there yet is looked for again.
    this.#read ??= read(this.#file).catch((error: unknown) => {
      this.#read = undefined;
      throw error;
    });
    const found = (await this.#read)[role];
    return typeof found === 'object' ? found[colour] : found;
  }
}

async function read(file: string): Promise<PasswordsFile> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw error;
  });
  return passwordsSchema.parse(JSON.parse(text));
}
