import { VerdigrisError } from '../../model/errors.ts';
import type { Step } from './operation.ts';

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
              required: 'the commit point within limits.switchover.',
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

/** The work of a step, for so many ms. What is given up may still end by itself: steps are safe to run twice. */
export async function within<T>(ms: number, step: Pick<Step, 'id' | 'title'>, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () =>
      late.reject(
        new VerdigrisError('step-limit', {
          seen: `The step ${step.id} (${step.title}) did not end within ${ms} ms.`,
          required: 'an end of every step: a connection or server that hangs must not block the environment forever.',
          next: 'find what hangs (pg_stat_activity of both colours, the network between); `verdigris recover` continues from here.',
          facts: { step: step.id, ms },
        }),
      ),
    ms,
  );
  work.catch(() => undefined);
  return Promise.race([work, late.promise]).finally(() => clearTimeout(timer));
}
