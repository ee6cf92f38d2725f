import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownEnvironment } from '../../router/own-environment.ts';
import { notHeld } from '../../model/failures.ts';
import { whenSilent } from '../../model/wait.ts';

const program = fileURLToPath(new URL('main.ts', import.meta.url));

/** Milliseconds for its start, and for one answer. */
const startLimit = 15_000;
const answerLimit = 2_000;

export interface RecoverCommand {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Of a hold, in milliseconds. */
interface Span {
  readonly longest: number;
  readonly lease: number;
}

/** `token` and `lease`: the hold lasts so many milliseconds from now. */
export type ToWatch = 'end' | { readonly token: number; readonly lease: number };
export type FromWatch = 'ready' | 'armed' | 'lapsed';

/**
 * A process that outlives this one and watches a hold of clients whose path knows no dead man's limit: where the hold
 * is not renewed in time, it runs the recovery until that has let the clients go.
 */
export class HoldWatch {
  readonly #recover: RecoverCommand;
  readonly #log: string;
  #child: ChildProcess | undefined;
  #lapsed = false;

  constructor(recover: RecoverCommand, log: string) {
    this.#recover = recover;
    this.#log = log;
  }

  /** Starts it, while nobody waits. */
  async prepare(): Promise<void> {
    if (this.#child?.connected && !this.#lapsed) return;
    await mkdir(path.dirname(this.#log), { recursive: true, mode: 0o700 });
    const log = await open(this.#log, 'a', 0o600);
    try {
      const child = spawn(process.execPath, [program, JSON.stringify(this.#recover)], {
        detached: true,
        cwd: '/',
        env: ownEnvironment(),
        stdio: ['ignore', log.fd, log.fd, 'ipc'],
      });
      this.#lapsed = false;
      child.on('message', (message: FromWatch) => {
        if (message === 'lapsed') this.#lapsed = true;
      });
      await answered(child, 'ready', startLimit);
      child.unref();
      child.channel?.unref();
      this.#child = child;
    } finally {
      await log.close();
    }
  }

  /**
   * Watches from before the first client is held until `work` holds all, which takes up to `longest` ms and is renewed by
   * nobody; from then on `lease` ms last from one renewal to the next.
   */
  async begin(token: number, { longest, lease }: Span, work: () => Promise<unknown>): Promise<void> {
    await this.prepare();
    await this.#set({ token, lease: longest + lease });
    await work();
    await this.renew(token, lease);
  }

  /** @throws VerdigrisError `not-held` where a recovery has begun already */
  async renew(token: number, lease: number): Promise<void> {
    if (!this.#child?.connected || this.#lapsed)
      throw notHeld('The hold was not renewed in time: a recovery is letting the clients go.');
    await this.#set({ token, lease });
  }

  /** Nobody is held any more. */
  end(): void {
    const child = this.#child;
    this.#child = undefined;
    if (!child?.connected) return;
    child.send('end' satisfies ToWatch, () => child.connected && child.disconnect());
  }

  /** Goes; a hold that is on stays watched. */
  leave(): void {
    if (this.#child?.connected) this.#child.disconnect();
    this.#child = undefined;
  }

  async #set(message: ToWatch): Promise<void> {
    const child = this.#child;
    if (!child) throw new Error('it was prepared');
    const armed = answered(child, 'armed', answerLimit);
    child.send(message, () => undefined);
    await armed;
  }
}

function answered(child: ChildProcess, wanted: FromWatch, limit: number): Promise<void> {
  const answered = Promise.withResolvers<void>();
  const listen = (message: FromWatch): void => {
    if (message === wanted) answered.resolve();
  };
  const ended = (): void => answered.reject(new Error('the watch of the hold has ended'));
  const stop = whenSilent(limit, () =>
    answered.reject(new Error(`the watch of the hold did not answer in ${limit} ms`)),
  );
  child.on('message', listen).on('exit', ended).on('error', ended);
  return answered.promise.finally(() => {
    stop();
    child.off('message', listen).off('exit', ended).off('error', ended);
  });
}
