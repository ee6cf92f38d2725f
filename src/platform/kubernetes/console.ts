import { rows, withClient, type Client, type ConnectionSettings, type Row } from '../../postgres/client.ts';

/**
 * A connection to PgBouncer's admin console that stays open until it is closed. Its application_name is how others see that a
 * hold is somebody's: the guard ends one whose connection is gone or has been silent for too long.
 */
export class Console {
  readonly #client: Client;
  readonly #close: () => void;
  readonly ended: Promise<void>;

  private constructor(client: Client, close: () => void, ended: Promise<void>) {
    this.#client = client;
    this.#close = close;
    this.ended = ended;
  }

  static async open(settings: Omit<ConnectionSettings, 'database'>, purpose: string): Promise<Console> {
    const opened = Promise.withResolvers<Client>();
    const closing = Promise.withResolvers<void>();
    const ended = withClient({ ...settings, database: 'pgbouncer' }, purpose, async (client) => {
      client.on('end', closing.resolve);
      opened.resolve(client);
      await closing.promise;
    }).catch(opened.reject);
    return new Console(await opened.promise, closing.resolve, ended);
  }

  /** The console speaks the simple protocol only, and takes no parameters. */
  say<T = Row>(command: string): Promise<T[]> {
    return rows<T>(this.#client, command);
  }

  async close(): Promise<void> {
    // A console that waits for an answer to PAUSE would not say farewell before it.
    this.#client.connection.stream.destroy();
    this.#close();
    await this.ended;
  }
}

export function consoleIdent(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
