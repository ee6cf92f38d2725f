/** Bytes of prepared statements that are kept of one session. */
const limit = 16 * 1024 * 1024;

/**
 * What a session has prepared, by name, as the message that made it. Protocol-level and SQL-level statements share one
 * namespace and no transaction undoes them. The unnamed one is ''.
 */
export class PreparedStatements {
  readonly #made = new Map<string, Buffer>();
  #bytes = 0;

  get names(): readonly string[] {
    return [...this.#made.keys()];
  }

  get all(): readonly (readonly [string, Buffer])[] {
    return [...this.#made];
  }

  has(name: string): boolean {
    return this.#made.has(name);
  }

  get(name: string): Buffer | undefined {
    return this.#made.get(name);
  }

  /** False where there is no room: one client's statements cannot fill the router's memory. */
  remember(name: string, made: Buffer): boolean {
    this.forget(name);
    if (this.#bytes + made.length > limit) return false;
    this.#bytes += made.length;
    this.#made.set(name, made);
    return true;
  }

  forget(name: string): void {
    this.#bytes -= this.#made.get(name)?.length ?? 0;
    this.#made.delete(name);
  }

  forgetAll(): void {
    this.#made.clear();
    this.#bytes = 0;
  }
}
