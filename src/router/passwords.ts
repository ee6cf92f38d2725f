import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const passwordsSchema = z.record(z.string(), z.string());

/** Passwords of roles, for servers that ask for one when a session is carried over. */
export class Passwords {
  readonly #file: string;
  #read: Promise<Readonly<Record<string, string>>> | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** The operator may have written others. */
  forget(): void {
    this.#read = undefined;
  }

  async of(role: string): Promise<string | undefined> {
    // A file that is not there yet is looked for again.
    this.#read ??= read(this.#file).catch((error: unknown) => {
      this.#read = undefined;
      throw error;
    });
    return (await this.#read)[role];
  }
}

async function read(file: string): Promise<Readonly<Record<string, string>>> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw error;
  });
  return passwordsSchema.parse(JSON.parse(text));
}
