import { open, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { Reserve, writeSynced } from './reserve.ts';
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
    const write = this.#writing.then(() =>
      replaceFile(this.#file, `${JSON.stringify(this.#state)}\n`, reserveOf(this.#file)),
    );
    // A failed write is its caller's to report; it must not stop the next one.
    this.#writing = write.catch(() => undefined);
    return write;
  }
}

function parse(text: string, file: string): RouterState {
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new VerdigrisError('router-state', {
      seen: `The router's state ${file} cannot be understood.`,
      required: 'the file as the router wrote it: it says which colour takes writes, and whether clients are held.',
      next: 'ask the journal which colour is live, remove the file, and start the router with that colour in its configuration.',
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

/** The old content or the new one, whatever happens in between. */
async function replaceFile(file: string, text: string, reserve: Reserve): Promise<void> {
  const made = `${file}.new`;
  const from = await writeSynced(made, text, reserve);
  await rename(made, file);
  if (from === 'reserve') await reserve.keep(stateBytes);
  const folder = await open(path.dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
