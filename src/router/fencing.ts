import { staleToken } from '../model/failures.ts';

/** Lets operators' commands in by their fencing tokens, and those that must follow each other one at a time. */
export class Fencing {
  readonly #highest: () => number;
  #turn: Promise<unknown> = Promise.resolve();

  /** `highest`: the highest token seen, also before a restart. */
  constructor(highest: () => number) {
    this.#highest = highest;
  }

  /** Judged when the turn comes: a newer operator may have been let in meanwhile. */
  inTurn(token: number, run: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(() => {
      this.admit(token);
      return run();
    });
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  /** Throws `stale-token`. */
  admit(token: number): void {
    const holds = this.#highest();
    if (token >= holds) return;
    throw staleToken('the router', token, holds);
  }
}
