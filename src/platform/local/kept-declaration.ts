import { readFile } from 'node:fs/promises';
import { writeDurably } from '../../machine/durable.ts';
import { declaredAs, type Environment } from '../../model/environment.ts';

/** What was declared when somebody acted last: a recovery that nobody calls goes by it, and a colour may have come since. */
export class KeptDeclaration {
  readonly #environment: Environment;
  readonly #file: string;

  constructor(environment: Environment, file: string) {
    this.#environment = environment;
    this.#file = file;
  }

  async write(): Promise<void> {
    const now = declaredAs(this.#environment);
    if (now === undefined) return;
    const text = JSON.stringify(now);
    const kept = await readFile(this.#file, 'utf8').catch(() => text);
    if (kept !== text) await writeDurably(this.#file, text);
  }
}
