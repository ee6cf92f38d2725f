/**
 * Milliseconds after which somebody goes on although others are still at it: a server that hangs must not stop those
 * who want another.
 */
const patience = 250;

/**
 * Lets `limit` at a time do something that costs a core: started all together, all would end together, and late; in
 * turn, the first is done while the last begins.
 */
export class Turns {
  readonly #limit: number;
  readonly #waiting = new Set<() => void>();
  #inside = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  async in<T>(use: () => Promise<T>): Promise<T> {
    if (this.#inside >= this.#limit) await this.#turn();
    this.#inside++;
    try {
      return await use();
    } finally {
      this.#inside--;
      if (this.#inside < this.#limit) this.#waiting.values().next().value?.();
    }
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        clearTimeout(timer);
        this.#waiting.delete(go);
        resolve();
      };
      const timer = setTimeout(go, patience);
      this.#waiting.add(go);
    });
  }
}
