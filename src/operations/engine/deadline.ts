import { VerdigrisError } from '../../model/errors.ts';

/** The time that an operation has to reach its commit point, once it is armed. */
export class Deadline {
  #timer: NodeJS.Timeout | undefined;
  #passed: Promise<never> | undefined;

  arm(ms: number, verb: string): void {
    this.#passed = new Promise((_, reject) => {
      this.#timer = setTimeout(
        () =>
          reject(
            new VerdigrisError('switchover-limit', {
              seen: `${verb} did not reach its commit point within ${ms} ms of holding the clients.`,
              required: 'the limit limits.switchover.',
              next: 'nothing moved; see which step took the time (`verdigris history`), then try again.',
            }),
          ),
        ms,
      );
    });
    this.#passed.catch(() => undefined);
  }

  async race<T>(work: Promise<T>): Promise<T> {
    return this.#passed ? Promise.race([work, this.#passed]) : work;
  }

  disarm(): void {
    clearTimeout(this.#timer);
  }
}
