import type { Colour } from '../../model/colours.ts';
import { other } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import type { Journal } from '../../model/journal.ts';
import type { Platform } from '../../platform/port.ts';
import { withClient, withOwnSession, type Client } from '../../postgres/client.ts';
import { lockTimeouts } from '../../postgres/lock-timeout.ts';
import type { Emit } from '../../model/events.ts';
import type { Ledger } from './ledger.ts';

/** What every step gets: the declaration, the platform, the journal under a lease, and connections by colour. */
export class Context {
  readonly environment: Environment;
  readonly platform: Platform;
  readonly ledger: Ledger;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** What the recovery before this command did. */
  recovered: 'nothing' | 'continued' | 'reverted' | 'left' = 'nothing';
  /** Its connections cannot write: a check that has to is left out. */
  readonly looking: boolean;
  readonly #kept = new Map<Colour, Client>();
  #renewing: NodeJS.Timeout | undefined;

  constructor(parts: {
    environment: Environment;
    platform: Platform;
    ledger: Ledger;
    emit: Emit;
    signal: AbortSignal;
    looking?: boolean;
  }) {
    this.environment = parts.environment;
    this.platform = parts.platform;
    this.ledger = parts.ledger;
    this.emit = parts.emit;
    this.signal = parts.signal;
    this.looking = parts.looking === true;
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

  /** Runs `use` with a connection to a colour: the one kept open, else one for this call. */
  async on<T>(colour: Colour, use: (client: Client) => Promise<T>): Promise<T> {
    const kept = this.#kept.get(colour);
    return kept ? use(kept) : this.#open(colour, withOwnSession, use);
  }

  /** A connection of its own for SQL of the user's: names and literals in it mean what they mean to the database's other clients. */
  withTheirs<T>(colour: Colour, use: (client: Client) => Promise<T>): Promise<T> {
    return this.#open(colour, withClient, use);
  }

  async #open<T>(colour: Colour, session: typeof withOwnSession, use: (client: Client) => Promise<T>): Promise<T> {
    const settings = { ...(await this.platform.servers.connection(colour)), database: this.environment.database };
    if (this.looking) return session({ ...settings, readOnly: true }, 'preview', use);
    // Nothing that an operator does may wait for a lock without end: neither a step while clients wait, nor an undoing.
    const limit = this.environment.limits.switchover;
    return session(
      settings,
      'operator',
      (client) => {
        const explained = lockTimeouts(client, limit);
        return use(client).catch(async (error: unknown) => {
          throw await explained(error);
        });
      },
      limit,
    );
  }

  /** Renews something every so many ms until told to stop. A renewal that fails is for the next step to find out. */
  startRenewing(renew: () => Promise<void>, every: number): void {
    this.stopRenewing();
    this.#renewing = setInterval(() => void renew().catch(() => undefined), every);
  }

  stopRenewing(): void {
    clearInterval(this.#renewing);
    this.#renewing = undefined;
  }

  /** Cuts the kept connections, so that a statement still under way cannot land after its undoing; undoing opens its own. */
  async dropKept(): Promise<void> {
    for (const client of this.#kept.values()) client.connection.stream.destroy();
    this.#kept.clear();
  }

  /** As `on`, where the colour runs; otherwise nothing is done: for tidying what goes with the colour anyway. */
  async ifRunning(colour: Colour, use: (client: Client) => Promise<unknown>): Promise<boolean> {
    if (!(await this.platform.servers.observe(colour))?.running) return false;
    await this.on(colour, use);
    return true;
  }

  /** Keeps a connection to each of the colours open while `use` runs, so that no step in the write pause has to connect. */
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
