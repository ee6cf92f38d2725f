/** Renews what ends by itself where nobody renews it, the hold of the clients first of all. */
export class Renewal {
  #timer: NodeJS.Timeout | undefined;
  #until = Infinity;

  /** Runs `renew` every so many ms until `stop`. One that fails is for the next step to find out. */
  start(renew: () => Promise<void>, every: number): void {
    this.stop();
    this.#timer = setInterval(() => {
      if (performance.now() < this.#until) void renew().catch(() => undefined);
    }, every);
  }

  /**
   * What begins now has so many ms: after that nothing is renewed any more, and somebody else's recovery serves those
   * who wait.
   */
  limit(ms: number): void {
    this.#until = performance.now() + ms;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
