import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { writeDurably } from '../machine/durable.ts';
import { Reserve } from '../machine/reserve.ts';
import { VerdigrisError } from '../model/errors.ts';
import { liveSchema, tokenSchema, upstreamSchema, weightsSchema, type RouterConfig } from './config.ts';

const holdSchema = z.strictObject({
  token: tokenSchema,
  /** Milliseconds since 1970. */
  since: z.number(),
  expires: z.number(),
  /** The live colour when the hold began. */
  colour: liveSchema,
});

const stateSchema = z.strictObject({
  version: z.literal(1),
  live: liveSchema,
  weights: weightsSchema,
  upstreams: z.strictObject({ blue: upstreamSchema.nullable(), green: upstreamSchema.nullable() }),
  /** Highest fencing token seen. */
  token: tokenSchema,
  /** A router that died while it held starts holding: nothing may slip through in the middle of a switchover. */
  hold: holdSchema.nullable(),
});

export type RouterState = z.output<typeof stateSchema>;
export type HoldRecord = z.output<typeof holdSchema>;

/** What of the router outlives its process. */
export class Store {
  readonly #file: string;
  #state: RouterState;
  /** Writes follow each other: the file never goes back to an older state. */
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: string, state: RouterState) {
    this.#file = file;
    this.#state = state;
  }

  static async open(file: string, config: RouterConfig): Promise<Store> {
    await reserveOf(file).keep(stateBytes);
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text !== undefined) return new Store(file, parse(text, file));
    const { blue = null, green = null } = config.upstreams;
    return new Store(file, {
      version: 1,
      live: config.live,
      weights: config.weights,
      upstreams: { blue, green },
      token: 0,
      hold: null,
    });
  }

  get state(): RouterState {
    return this.#state;
  }

  /** Takes effect at once in memory; durable when the promise resolves. */
  save(change: Partial<RouterState>): Promise<void> {
    this.#state = { ...this.#state, ...change };
    const write = this.#writing.then(() => this.#write(`${JSON.stringify(this.#state)}\n`));
    // A failed write is its caller's to report; it must not stop the next one.
    this.#writing = write.catch(() => undefined);
    return write;
  }

  async #write(text: string): Promise<void> {
    const reserve = reserveOf(this.#file);
    const from = await writeDurably(this.#file, text, { reserve });
    if (from === 'reserve') await reserve.keep(stateBytes);
  }
}

function parse(text: string, file: string): RouterState {
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new VerdigrisError('router-state', {
      seen: `The router's state ${file} cannot be read.`,
      required: 'the file as the router wrote it: it says which colour takes writes, and whether clients are held.',
      next:
        '`verdigris status` shows the live colour by the journal: put it as `live` into router.json beside this file, ' +
        'move this file away, then run `verdigris start` and `verdigris recover`.',
      facts: { file },
      cause,
    });
  }
}

/** More than the state takes, twice: what was replaced gives its block back, and is put aside again. */
const stateBytes = 4096;

/** Where the disk is full a hold must end all the same. */
function reserveOf(file: string): Reserve {
  return new Reserve(`${file}.reserve`, 2);
}
