import type { Colour } from '../../model/colours.ts';
import { other } from '../../model/colours.ts';
import type { Finding } from '../../model/finding.ts';
import { declaredHistory, type Environment } from '../../model/environment.ts';
import { environmentInside, furtherDatabases } from '../../model/further-databases.ts';
import { carriedDatabases } from '../../model/journal-inside.ts';
import type { Journal } from '../../model/journal.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { Lease } from '../../platform/port/leases.ts';
import type { Platform } from '../../platform/port/platform.ts';
import type { Client } from '../../postgres/client.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { withClient, withOwnSession } from '../../postgres/session.ts';
import { asLooker, readersOf } from '../../postgres/readers.ts';
import { lockTimeouts } from '../../postgres/lock-timeout.ts';
import type { Emit } from '../../model/events.ts';
import type { Ledger } from './ledger.ts';
import { ofServer } from './server-failure.ts';

/** What every step gets: the declaration, the platform, the journal under a lease, and connections by colour. */
export class Context {
  readonly environment: Environment;
  readonly platform: Platform;
  readonly ledger: Ledger;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /**
   * Aborted when the lease is lost. Unlike `signal` it does not know of a person's wish to stop, which behind the
   * commit point comes too late.
   */
  readonly lost: AbortSignal;
  /** Why, in the operator's words. */
  readonly reason: string | undefined;
  /** What the recovery before this command did. */
  recovered: 'nothing' | 'continued' | 'reverted' | 'left' = 'nothing';
  #shown: readonly Finding[] = [];
  /** It is the controller of a release that walks by itself, and no person. */
  readonly walks: boolean;
  /** It is a drill: what it makes it takes away again. */
  readonly drills: boolean;
  /** Who works here, for the journal. */
  readonly operator: string;
  /** Its connections cannot write: a check that has to is left out. */
  readonly looking: boolean;
  readonly #lease: Lease | undefined;
  readonly #kept = new Map<Colour, Client>();
  /** Every connection that is open, the kept ones too. */
  readonly #open = new Set<Client>();
  #renewing: NodeJS.Timeout | undefined;
  #renewUntil = Infinity;
  /** The one that this is the inside of. */
  readonly #around: Context | undefined;
  readonly #insides = new Map<string, Context>();

  constructor(parts: {
    environment: Environment;
    platform: Platform;
    ledger: Ledger;
    emit: Emit;
    signal: AbortSignal;
    lost?: AbortSignal;
    looking?: boolean;
    walks?: boolean | undefined;
    drills?: boolean | undefined;
    operator?: string;
    reason?: string | undefined;
    /** Left out by who only looks. */
    lease?: Lease | undefined;
    /** For one of its further databases. */
    around?: Context;
  }) {
    this.environment = parts.environment;
    this.platform = parts.platform;
    this.ledger = parts.ledger;
    this.emit = parts.emit;
    this.signal = parts.signal;
    this.lost = parts.lost ?? parts.signal;
    this.looking = parts.looking === true;
    this.walks = parts.walks === true;
    this.drills = parts.drills === true;
    this.operator = parts.operator ?? 'nobody';
    this.reason = parts.reason;
    this.#lease = parts.lease;
    this.#around = parts.around;
  }

  /**
   * One for each database that the release carries, the environment's first as this one itself: in each what is of one
   * database is done as if there were no other. Before a release is open, those that are declared.
   */
  get each(): readonly Context[] {
    const further = this.journal.release ? carriedDatabases(this.journal) : furtherDatabases(this.environment);
    return this.#around ? [this] : [this, ...further.map((database) => this.#inside(database))];
  }

  /** Whether this is the inside of a further database: what is of the whole server is not done there. */
  get isInside(): boolean {
    return this.#around !== undefined;
  }

  /** The one for the server's first database, where what is of the whole server is kept. */
  get whole(): Context {
    return this.#around ?? this;
  }

  #inside(database: string): Context {
    const known = this.#insides.get(database);
    if (known) return known;
    const made = new Context({
      environment: environmentInside(this.environment, database),
      platform: this.platform,
      emit: this.emit,
      signal: this.signal,
      lost: this.lost,
      looking: this.looking,
      walks: this.walks,
      drills: this.drills,
      operator: this.operator,
      reason: this.reason,
      ledger: this.ledger.inside(database),
      lease: this.#lease,
      around: this,
    });
    this.#insides.set(database, made);
    return made;
  }

  /** What the gates found and showed, of the operation that this process began. */
  get shown(): readonly Finding[] {
    return this.whole.#shown;
  }

  set shown(findings: readonly Finding[]) {
    this.whole.#shown = findings;
  }

  get journal(): Journal {
    return this.ledger.journal;
  }

  get live(): Colour {
    return this.journal.live;
  }

  /** The slot that is not live: candidate before the switchover, retained after it. */
  get idle(): Colour {
    return other(this.journal.live);
  }

  /**
   * Renews the lease and compares it; throws `lease-lost` where somebody else has taken it. Asked right before whatever
   * cannot be undone, and after what that is to be done to was read: a process that slept in between is found out here.
   */
  async requireLease(): Promise<void> {
    if (!this.#lease) throw new Error('who only looks does nothing that needs a lease');
    if (!(await this.#lease.renew())) throw leaseLost();
  }

  /**
   * Removes the colour that is not live as it is at this moment, under this lease, and nothing that takes its place.
   * Says what is left.
   */
  async removeIdle(): Promise<string | void> {
    const seen = await this.platform.servers.observe(this.idle);
    await this.requireLease();
    return this.platform.servers.remove(this.idle, seen?.generation);
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
    const alone = this.#lease !== undefined && (await this.readers(colour)).reader.user === settings.user;
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

  async #connect<T>(colour: Colour, session: typeof withOwnSession, use: (client: Client) => Promise<T>): Promise<T> {
    return this.#session(await this.#settings(colour), session, use);
  }

  async #settings(colour: Colour): Promise<ConnectionSettings> {
    return {
      ...(await this.platform.servers.connection(colour)),
      database: this.environment.database,
      history: declaredHistory(this.environment),
    };
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
    if (this.looking) return session({ ...settings, readOnly: true }, 'preview', use);
    // Nothing that an operator does may wait for a lock without end: neither a step while clients wait, nor an undoing.
    const limit = this.environment.limits.switchover;
    return session(
      settings,
      'operator',
      (client) => {
        const explained = lockTimeouts(client, limit);
        this.#open.add(client);
        return use(client)
          .catch(async (error: unknown) => {
            throw await explained(error);
          })
          .finally(() => this.#open.delete(client));
      },
      limit,
    );
  }

  /** Renews something every so many ms until told to stop. A renewal that fails is for the next step to find out. */
  startRenewing(renew: () => Promise<void>, every: number): void {
    this.stopRenewing();
    this.#renewing = setInterval(() => {
      if (performance.now() < this.#renewUntil) void renew().catch(() => undefined);
    }, every);
  }

  /**
   * What begins now has so many ms: after that nothing is renewed any more, and somebody else's recovery serves those
   * who wait.
   */
  renewFor(ms: number): void {
    this.#renewUntil = performance.now() + ms;
  }

  stopRenewing(): void {
    clearInterval(this.#renewing);
    this.#renewing = undefined;
  }

  /**
   * Cuts every connection, so that a statement still under way cannot land after its undoing; who goes on opens new
   * ones.
   */
  cutConnections(): void {
    for (const client of this.#open) client.connection.stream.destroy();
    this.#open.clear();
    this.#kept.clear();
    for (const inside of this.#insides.values()) inside.cutConnections();
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

export function leaseLost(): VerdigrisError {
  return new VerdigrisError('lease-lost', {
    seen: 'Another process took over the lease, because this one did not renew it in time.',
    required: 'one operator at a time.',
    next: 'see `verdigris status`; the other one continues or undoes this work.',
  });
}
