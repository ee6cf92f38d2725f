/** How long a hold keeps one client waiting: from when that is first asked to the message that gets through. */
export class HeldWait {
  #began: { readonly clock: number; readonly time: number } | undefined;

  /** When it began, in milliseconds since 1970; undefined while it does not wait. */
  get since(): number | undefined {
    return this.#began?.time;
  }

  begin(): void {
    this.#began ??= { clock: performance.now(), time: Date.now() };
  }

  /** Milliseconds that it waited; undefined where it did not. */
  end(): number | undefined {
    if (!this.#began) return undefined;
    const waited = performance.now() - this.#began.clock;
    this.#began = undefined;
    return waited;
  }
}
