import type { Colour } from '../../model/colours.ts';
import { declaredHistory, type Environment } from '../../model/environment.ts';
import type { Lease } from '../../platform/port/leases.ts';
import type { Platform } from '../../platform/port/platform.ts';
import type { Client } from '../../postgres/client.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import type { Lens } from '../../postgres/part/lens.ts';
import { withClient, withOwnSession } from '../../postgres/session.ts';
import { asLooker, lookLimit, readersOf, writerOf } from '../../postgres/readers.ts';
import { Memory, remember } from '../../postgres/seal/remembered.ts';
import { lockTimeouts } from '../../postgres/lock-timeout.ts';
import { ofServer } from './server-failure.ts';

/** Connections to the servers of both colours, by colour and by what is done over them. */
export class Sessions {
  readonly environment: Environment;
  readonly platform: Platform;
  /** Its connections cannot write: a check that has to is left out. */
  readonly looking: boolean;
  protected readonly lease: Lease | undefined;
  readonly #kept = new Map<Colour, Client>();
  /** Every connection that is open, the kept ones too. */
  readonly #open = new Set<Client>();
  /** What was read of the colours' catalogues. */
  readonly #memory = new Memory();

  constructor(parts: {
    readonly environment: Environment;
    readonly platform: Platform;
    readonly looking?: boolean | undefined;
    readonly lease?: Lease | undefined;
  }) {
    this.environment = parts.environment;
    this.platform = parts.platform;
    this.looking = parts.looking === true;
    this.lease = parts.lease;
  }

  /** Runs `use` with a connection to a colour: the one kept open, else one for this call. */
  async on<T>(colour: Colour, use: (client: Client) => Promise<T>): Promise<T> {
    const kept = this.#kept.get(colour);
    return ofServer(colour, kept ? use(kept) : this.#connect(colour, withOwnSession, use));
  }

  /**
   * A connection of its own for SQL of the user's: names and literals in it mean what they mean to the database's other
   * clients.
   */
  withTheirs<T>(colour: Colour, use: (client: Client) => Promise<T>): Promise<T> {
    return ofServer(colour, this.#connect(colour, withClient, use));
  }

  /** Ways to a colour for what reads or locks rows of user tables. */
  async readers(colour: Colour): ReturnType<typeof readersOf> {
    const connection = await this.#settings(colour);
    return this.on(colour, (client) => readersOf(client, connection));
  }

  /** As `on`, for what only looks and takes no superuser. Who has no lease makes no role for it. */
  async look<T>(colour: Colour, use: (client: Client) => Promise<T>, names: 'own' | 'theirs' = 'own'): Promise<T> {
    const settings = await this.#settings(colour);
    const alone = this.lease !== undefined && (await this.readers(colour)).reader.user === settings.user;
    const session = <R>(who: ConnectionSettings, inside: (client: Client) => Promise<R>): Promise<R> =>
      this.#session(who, names === 'own' ? withOwnSession : withClient, inside);
    return ofServer(colour, alone ? session({ ...settings, readOnly: true }, use) : asLooker(settings, session, use));
  }

  /** As `on`, for what reads rows of user tables: whatever code of their owners that runs has no more rights than that. */
  async asReader<T>(colour: Colour, use: (client: Client) => Promise<T>): Promise<T> {
    const { reader } = await this.readers(colour);
    return ofServer(colour, this.#session(reader, withOwnSession, use));
  }

  /** As `asReader`, for what writes them. */
  async asLocker<T>(colour: Colour, use: (client: Client) => Promise<T>): Promise<T> {
    const { locker } = await this.readers(colour);
    return ofServer(colour, this.#session(locker, withOwnSession, use));
  }

  /** As `asLocker`, where rows are put into tables of any shape; triggers do not fire. */
  async asWriter<T>(colour: Colour, use: (client: Client) => Promise<T>): Promise<T> {
    const connection = await this.#settings(colour);
    const writer = await this.on(colour, (client) => writerOf(client, connection));
    return ofServer(colour, this.#session(writer, withOwnSession, use));
  }

  async #connect<T>(colour: Colour, session: typeof withOwnSession, use: (client: Client) => Promise<T>): Promise<T> {
    return this.#session(await this.#settings(colour), session, use);
  }

  async #settings(colour: Colour): Promise<ConnectionSettings> {
    const settings = {
      ...(await this.platform.servers.connection(colour)),
      database: this.environment.database,
      history: declaredHistory(this.environment),
    };
    return { ...settings, lens: await this.lensOf(colour, settings) };
  }

  /** How the sessions of a colour see it, where only a part of its database is of the release. */
  protected lensOf(_colour: Colour, _settings: ConnectionSettings): Promise<Lens | undefined> {
    return Promise.resolve(undefined);
  }

  /** As `withTheirs`, of a login that is made for it. */
  connect<T>(login: ConnectionSettings, use: (client: Client) => Promise<T>): Promise<T> {
    return this.#session(login, withClient, use);
  }

  async #session<T>(
    settings: ConnectionSettings,
    session: typeof withOwnSession,
    use: (client: Client) => Promise<T>,
  ): Promise<T> {
    const remembering = (client: Client): Promise<T> => {
      // A glance is a statement of our own: not where names mean what others made them mean.
      if (session === withOwnSession) remember(client, this.#memory);
      return use(client);
    };
    // Nothing that an operator does may wait for a lock without end: neither a step while clients wait, nor an undoing.
    const limit = this.looking ? lookLimit : this.environment.limits.switchover;
    const explaining = (client: Client): Promise<T> => {
      const explained = lockTimeouts(client, limit);
      return remembering(client).catch(async (error: unknown) => {
        throw await explained(error);
      });
    };
    if (this.looking) return session({ ...settings, readOnly: true }, 'preview', explaining, limit);
    return session(
      settings,
      'operator',
      (client) => {
        this.#open.add(client);
        return explaining(client).finally(() => this.#open.delete(client));
      },
      limit,
    );
  }

  /**
   * Cuts every connection, so that a statement still under way cannot land after its undoing; who goes on opens new
   * ones.
   */
  cutConnections(): void {
    for (const client of this.#open) client.connection.stream.destroy();
    this.#open.clear();
    this.#kept.clear();
  }

  /** As `on`, where the colour runs; otherwise nothing is done: for tidying what goes with the colour anyway. */
  async ifRunning(colour: Colour, use: (client: Client) => Promise<unknown>): Promise<boolean> {
    if (!(await this.platform.servers.observe(colour))?.running) return false;
    await this.on(colour, use);
    return true;
  }

  /**
   * Keeps a connection to each of the colours open while `use` runs, so that no step in the write pause has to connect.
   */
  async keeping<T>(colours: readonly Colour[], use: () => Promise<T>): Promise<T> {
    const [colour, ...rest] = colours;
    if (colour === undefined) return use();
    return this.on(colour, async (client) => {
      this.#kept.set(colour, client);
      try {
        return await this.keeping(rest, use);
      } finally {
        this.#kept.delete(colour);
      }
    });
  }
}
