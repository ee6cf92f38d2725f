import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds until a process that ended by itself is started again. */
const pause = 1_000;

/**
 * A process that is loaded before it is needed: loading costs more than what it then does, and on a busy machine many
 * times as much. One that does not end its work within `limit` ms is killed, with whatever it holds, and the next one
 * is loaded.
 */
export class Standby {
  readonly #command: readonly string[];
  readonly #limit: number;
  readonly #signal: AbortSignal;
  #child: ChildProcess;

  constructor(command: readonly string[], limit: number, signal: AbortSignal) {
    this.#command = command;
    this.#limit = limit;
    this.#signal = signal;
    this.#child = this.#load();
  }

  /** Has it do its work; returns its last word. */
  async act(message: object): Promise<string> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return 'not loaded again yet';
    const ended = new AbortController();
    const { signal } = ended;
    try {
      child.send(message, () => undefined);
      return await Promise.race([
        said(child, signal),
        once(child, 'exit', { signal }).then(([status, by]) => `ended with ${by ?? status}`),
        sleep(this.#limit, `not done after ${this.#limit} ms`, { signal }).finally(() => {
          if (!signal.aborted) child.kill('SIGKILL');
        }),
      ]);
    } finally {
      ended.abort();
    }
  }

  #load(): ChildProcess {
    const [program = '', ...args] = this.#command;
    const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], signal: this.#signal });
    child.on('error', () => undefined);
    child.once('exit', () => {
      if (this.#signal.aborted) return;
      setTimeout(() => {
        if (!this.#signal.aborted) this.#child = this.#load();
      }, pause);
    });
    return child;
  }
}

/** What it says first may be from before the work: that it is loaded. */
async function said(child: ChildProcess, signal: AbortSignal): Promise<string> {
  for (;;) {
    const [word] = (await once(child, 'message', { signal })) as [string];
    if (word !== 'loaded') return word;
  }
}
