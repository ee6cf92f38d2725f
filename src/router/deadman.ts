import { spawn, type ChildProcess } from 'node:child_process';
import type { Logger } from 'pino';
import type { RouterConfig } from './config.ts';
import { ownEnvironment } from './own-environment.ts';

/** Longer than any timer of Node takes. */
const longestTimer = 2 ** 31 - 1;

/** Stands in the recovery command for the fencing token of the hold that lapsed. */
export const heldBy = '{token}';

/**
 * Lives beside the clients and not in the operator: when a hold is not renewed in time, it runs the recovery command
 * again and again until somebody resumes, or lets the clients go on where no command was given.
 */
export class Deadman {
  readonly #config: Pick<RouterConfig, 'recover' | 'limits'>;
  readonly #log: Logger;
  readonly #release: () => void;
  readonly #token: () => number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #expires: number | undefined;
  #child: ChildProcess | undefined;

  constructor(
    config: Pick<RouterConfig, 'recover' | 'limits'>,
    log: Logger,
    release: () => void,
    token: () => number | undefined,
  ) {
    this.#config = config;
    this.#log = log;
    this.#release = release;
    this.#token = token;
  }

  /**
   * In so many milliseconds, by a clock that nobody sets; undefined when there is no hold any more. A recovery that
   * runs is left to end by itself.
   */
  set(milliseconds: number | undefined): void {
    this.#expires = milliseconds === undefined ? undefined : performance.now() + milliseconds;
    this.#arm(milliseconds);
  }

  #arm(milliseconds: number | undefined): void {
    clearTimeout(this.#timer);
    if (milliseconds !== undefined)
      this.#timer = setTimeout(() => this.#due(), Math.min(Math.max(milliseconds, 0), longestTimer));
  }

  #due(): void {
    if (this.#expires === undefined || this.#child) return;
    // Timers and the clock may differ by a millisecond; and the hold may have been renewed.
    const left = this.#expires - performance.now();
    if (left > 0) return this.#arm(left);
    const { recover, limits } = this.#config;
    if (!recover) {
      this.#log.warn('nobody renewed the hold in time and no recovery command is configured: the clients go on');
      return this.#release();
    }
    // Whose hold it was: a lease of his is not waited out as well.
    const argv = recover.argv.map((each) => (each === heldBy ? String(this.#token() ?? 0) : each));
    const [program, ...args] = argv as [string, ...string[]];
    this.#log.warn({ argv }, 'nobody renewed the hold in time: running the recovery command');
    // Straight into the log: a pipe would break, and the recovery with it, if this router died in the middle of it.
    const child = spawn(program, args, {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...ownEnvironment(), ...recover.env },
    });
    this.#child = child;
    const limit = setTimeout(() => child.kill('SIGKILL'), limits.recoverLimitMs);
    const ended = (fields: Record<string, unknown>) => {
      if (this.#child !== child) return;
      clearTimeout(limit);
      this.#child = undefined;
      if (this.#expires === undefined)
        return this.#log.info(fields, 'the recovery command has ended and the clients go on');
      this.#log.warn({ ...fields, againInMs: limits.recoverEveryMs }, 'recovery ran but clients are still paused');
      this.#arm(limits.recoverEveryMs);
    };
    child.on('error', (error) => ended({ error: error.message }));
    child.on('exit', (status, signal) => ended({ status, signal }));
  }
}
