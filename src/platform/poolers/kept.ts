import type { Client } from '../../postgres/client.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { withPooledSession } from '../../postgres/session.ts';

/** A connection that stays open until it is closed, beyond the call that opened it. */
export class Kept {
  readonly client: Client;
  readonly #close: () => void;
  readonly #ended: Promise<void>;

  private constructor(client: Client, close: () => void, ended: Promise<void>) {
    this.client = client;
    this.#close = close;
    this.#ended = ended;
  }

  static async open(settings: ConnectionSettings, purpose: string): Promise<Kept> {
    const opened = Promise.withResolvers<Client>();
    const closing = Promise.withResolvers<void>();
    const ended = withPooledSession(settings, purpose, async (client) => {
      client.on('end', closing.resolve);
      opened.resolve(client);
      await closing.promise;
    }).catch(opened.reject);
    return new Kept(await opened.promise, closing.resolve, ended);
  }

  async close(): Promise<void> {
    // One that waits for an answer would not say farewell before it.
    this.client.connection.stream.destroy();
    this.#close();
    await this.#ended;
  }
}
