import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { Verb } from '../../src/model/transitions.ts';
import type { Order, Place, Said } from './orders.ts';

const program = fileURLToPath(new URL('killed-operator.ts', import.meta.url));

export type Ending =
  | { readonly how: 'killed' }
  | { readonly how: 'done' }
  | { readonly how: 'failed'; readonly error: { readonly code: string; readonly id: string; readonly seen: string } };

export interface Operator {
  readonly pid: number;
  readonly said: readonly Said[];
  /** Once the process is gone. */
  readonly ended: Promise<Ending>;
}

/**
 * Starts operators in processes of their own, each loaded while the one before it works: loading takes longer than
 * dying.
 */
export class Operators {
  readonly #declaration: string;
  readonly #place: Place;
  #next: ReturnType<typeof load>;

  constructor(declaration: string, place: Place) {
    this.#declaration = declaration;
    this.#place = place;
    this.#next = load();
  }

  async start(
    verb: Verb,
    order: Partial<
      Pick<Order, 'options' | 'canary' | 'kill' | 'dieAfter' | 'dieBefore' | 'dieTelling' | 'stopAt'>
    > = {},
  ): Promise<Operator> {
    const { child, said, warm, done } = this.#next;
    await warm;
    this.#next = load();
    const full: Order = {
      declaration: this.#declaration,
      place: this.#place,
      verb,
      options: { early: true },
      canary: 0,
      ...order,
    };
    child.stdin.write(`${JSON.stringify(full)}\n`);
    return { pid: child.pid ?? 0, said, ended: done };
  }

  /** Runs a verb to its end or to its death. */
  async run(verb: Verb, order: Parameters<Operators['start']>[1] = {}): Promise<Ending> {
    return (await this.start(verb, order)).ended;
  }

  async close(): Promise<void> {
    this.#next.child.stdin.end();
    await this.#next.done;
  }
}

function load() {
  const child = execa(process.execPath, [program], { stdin: 'pipe', reject: false, buffer: { stdout: false } });
  child.stdin.on('error', () => undefined);
  const said: Said[] = [];
  const warm = Promise.withResolvers<void>();
  const done = (async (): Promise<Ending> => {
    for await (const line of createInterface({ input: child.stdout })) {
      const message = JSON.parse(line) as Said;
      said.push(message);
      if (message.type === 'warm') warm.resolve();
    }
    const { signal, stderr } = await child;
    const last = said.at(-1);
    if (signal === 'SIGKILL') return { how: 'killed' };
    if (last?.type === 'done') return { how: 'done' };
    if (last?.type === 'failed') return { how: 'failed', error: last.error };
    return { how: 'failed', error: { code: 'none', id: 'none', seen: stderr } };
  })();
  return { child, said, warm: warm.promise, done };
}

/** Waits until a process is stopped (state T in proc(5)). */
export async function untilStopped(operator: Operator, limit: number): Promise<void> {
  const end = Date.now() + limit;
  for (;;) {
    const text = await readFile(`/proc/${operator.pid}/stat`, 'utf8').catch(() => {
      throw new Error(`the operator ended before it stopped: ${JSON.stringify(operator.said.slice(-3))}`);
    });
    if (text.slice(text.lastIndexOf(')') + 2).startsWith('T')) return;
    if (Date.now() > end)
      throw new Error(`process ${operator.pid} did not stop: it said ${JSON.stringify(operator.said.at(-1))}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
