import { stat, utimes } from 'node:fs/promises';
import { z } from 'zod';
import { VerdigrisError } from '../../model/errors.ts';
import { leaseHeld } from '../../model/failures.ts';
import type { Lease, LeaseStore } from '../port/leases.ts';
import { processIsGone, thisProcess } from '../../machine/process.ts';
import { NumberedFiles } from './files.ts';

const record = z.object({
  holder: z.string(),
  pid: z.int(),
  /**
   * From `thisProcess`; of a system without /proc, and of Verdigris 0.1.0, only time tells whether its holder lives.
   */
  process: z.string().optional(),
  since: z.string(),
  released: z.boolean(),
});
type Holding = z.output<typeof record>;

/** Milliseconds without renewal after which a lease may be taken over from a process that is stopped but not dead. */
export const leaseTtl = 10_000;

/**
 * One operator at a time. Lease n is the file n, its number the fencing token; renewing touches it. It may be taken
 * over when it was released, when its process is gone, or when it was not renewed in time: its holder then fails at its
 * next write of the journal.
 */
export class LocalLeases implements LeaseStore {
  readonly #files: NumberedFiles;
  readonly #floor: () => Promise<number>;

  /**
   * `floor`: the token under which the journal was last written; where the folder of leases is gone, counting goes on
   * from there.
   */
  constructor(folder: string, floor: () => Promise<number> = () => Promise.resolve(0)) {
    this.#files = new NumberedFiles(folder, 2);
    this.#floor = floor;
  }

  async acquire(holder: string, gone?: number, above = 0): Promise<Lease> {
    const newest = await this.#files.newest();
    const held = newest && newest.number !== gone && (await live(newest.file, newest.text));
    if (held) throw leaseHeld(held.holder, held.since, held.pid);
    const token = Math.max(newest?.number ?? 0, await this.#floor(), above) + 1;
    const mine: Holding = {
      holder,
      pid: process.pid,
      process: await thisProcess(),
      since: new Date().toISOString(),
      released: false,
    };
    if (!(await this.#files.claim(token, JSON.stringify(mine), true))) return this.acquire(holder, gone, above);
    const file = this.#files.file(token);
    return {
      token,
      renew: async () => {
        if ((await this.#files.newest())?.number !== token) return false;
        const at = new Date();
        await utimes(file, at, at);
        return true;
      },
      // The next number says that this one is over, so that a release cannot undo somebody else's acquisition.
      // A folder that is gone went with its environment, and the lease with it.
      release: async () =>
        void (await this.#files
          .claim(token + 1, JSON.stringify({ ...mine, released: true }), true)
          .catch((error: NodeJS.ErrnoException) => {
            // With a full disk the end of this process says so.
            if (error.code !== 'ENOENT' && !(error instanceof VerdigrisError && error.id === 'disk-full')) throw error;
          })),
    };
  }

  keepReserve(): Promise<void> {
    return this.#files.keepReserve();
  }

  async holder(): Promise<{ holder: string; since: string } | undefined> {
    const newest = await this.#files.newest();
    return newest && live(newest.file, newest.text);
  }
}

async function live(file: string, text: string): Promise<Holding | undefined> {
  const parsed = record.safeParse(safeJson(text));
  if (!parsed.success || parsed.data.released) return undefined;
  // One of another container or another boot cannot be asked for: it is waited out.
  if (parsed.data.process !== undefined && (await processIsGone(parsed.data.process))) return undefined;
  const renewed = await stat(file).catch(() => undefined);
  // Renewed in the future: the clock was set back since, and nobody has renewed it by the clock that is.
  return renewed && Math.abs(Date.now() - renewed.mtimeMs) < leaseTtl ? parsed.data : undefined;
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
