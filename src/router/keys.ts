/** Whose statement a request to cancel may end. */
export interface Cancellable {
  cancel(): Promise<void>;
}

/** Which session was given which BackendKeyData: clients keep the first one for life, wherever they are served. */
export class Keys {
  readonly #sessions = new Map<string, Cancellable>();
  readonly #keys = new Map<Cancellable, string>();

  give(key: Buffer, session: Cancellable): void {
    const text = key.toString('hex');
    this.#sessions.set(text, session);
    this.#keys.set(session, text);
  }

  owner(key: Buffer): Cancellable | undefined {
    return this.#sessions.get(key.toString('hex'));
  }

  /** A server may have given the same key to another one since. */
  forget(session: Cancellable): void {
    const text = this.#keys.get(session);
    this.#keys.delete(session);
    if (text !== undefined && this.#sessions.get(text) === session) this.#sessions.delete(text);
  }
}
