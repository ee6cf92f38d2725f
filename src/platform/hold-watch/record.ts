import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { writeDurably } from '../../machine/durable.ts';
import { staleToken } from '../../model/failures.ts';

const schema = z.strictObject({
  token: z.int(),
  held: z.strictObject({ token: z.int(), since: z.string() }).optional(),
});

type Held = NonNullable<z.output<typeof schema>['held']>;

/** What a clients' path that knows no tokens has been asked for, durable before it is asked. */
export class HoldFile {
  readonly #file: string;
  readonly #where: string;

  /** `where`: the path, for people. */
  constructor(file: string, where: string) {
    this.#file = file;
    this.#where = where;
  }

  async held(): Promise<Held | undefined> {
    return (await this.#read()).held;
  }

  /** @throws VerdigrisError `stale-token` where somebody newer has been here */
  async take(token: number, change: 'hold' | 'release' | undefined): Promise<void> {
    const before = await this.#read();
    if (before.token > token) throw staleToken(this.#where, token, before.token);
    const since = new Date().toISOString();
    const held = change === 'hold' ? { token, since } : change === 'release' ? undefined : before.held;
    if (before.token === token && before.held === held) return;
    await writeDurably(this.#file, JSON.stringify({ token, held }));
  }

  async #read(): Promise<z.output<typeof schema>> {
    const text = await readFile(this.#file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '{"token":0}';
      throw error;
    });
    return schema.parse(JSON.parse(text));
  }
}
