import type { Logger } from 'pino';
import { isDeepStrictEqual } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { colours, type Colour } from '../model/colours.ts';
import { describe } from '../model/errors.ts';
import { everyLogin } from '../model/logins.ts';
import { omit } from '../model/omit.ts';
import { answerWithin } from '../model/wait.ts';
import { one } from '../postgres/client.ts';
import type { ConnectionSettings } from '../postgres/connection.ts';
import { withOwnSession } from '../postgres/session.ts';
import type { Upstream } from './config.ts';
import type { PasswordSource } from './passwords.ts';
import type { RouteTable } from './table.ts';

/** Milliseconds between two looks at all of them. */
const every = 1_000;

/** Milliseconds for one look at one server: whoever says nothing is used by nobody. */
const patience = 2_000;

/**
 * While a canary is under way, looks again and again which standbys are near enough to their primary for readers, by a
 * reader's own login. One that is too far behind, does not answer, or is a standby no more, loses its readers to the
 * primary.
 */
export class StandbyWatch {
  readonly #table: RouteTable;
  readonly #readers: readonly string[];
  readonly #passwords: PasswordSource;
  readonly #log: Logger;
  /** Sessions may belong elsewhere now. */
  readonly #changed: () => void;
  /** Addresses of which it was said that no standby of their colour is there. */
  readonly #strange = new Set<string>();
  /** The login that was let in last. */
  #good: string | undefined;
  #looking: AbortController | undefined;

  constructor(
    table: RouteTable,
    readers: readonly string[],
    passwords: PasswordSource,
    log: Logger,
    changed: () => void,
  ) {
    this.#table = table;
    this.#readers = readers;
    this.#passwords = passwords;
    this.#log = log;
    this.#changed = changed;
  }

  /** The routes or the servers are others now. */
  look(): void {
    const { canary, upstreams } = this.#table;
    if (!canary || !colours.some((colour) => (upstreams[colour]?.standbys?.at.length ?? 0) > 0)) return this.end();
    if (this.#looking) return;
    this.#looking = new AbortController();
    void this.#run(this.#looking.signal);
  }

  /** Whoever is on a standby goes back to the primary. */
  end(): void {
    this.#looking?.abort();
    this.#looking = undefined;
    this.#table.standbys = { blue: [], green: [] };
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const [blue, green] = await Promise.all([this.#near('blue'), this.#near('green')]);
      if (signal.aborted) return;
      const found = { blue, green };
      if (!isDeepStrictEqual(found, this.#table.standbys)) {
        const hosts = Object.fromEntries(colours.map((colour) => [colour, found[colour].map(({ host }) => host)]));
        this.#log.info({ standbys: hosts }, 'standbys that readers are sent to');
        this.#table.standbys = found;
        this.#changed();
      }
      await sleep(every, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #near(colour: Colour): Promise<Upstream[]> {
    const upstream = this.#table.upstreams[colour];
    if (!upstream?.standbys) return [];
    const { at: standbys, behind, database } = upstream.standbys;
    const primary = omit(upstream, 'standbys');
    try {
      const { login, now } = await this.#asReader(colour, primary, database);
      const judged = standbys.map(async (at) => {
        const standby = { ...omit(primary, 'sockets'), ...at };
        const near = await this.#isNear(standby, login, now, behind);
        return near ? [standby] : [];
      });
      return (await Promise.all(judged)).flat();
    } catch (error) {
      this.#log.debug({ colour, cause: describe(error) }, 'no standby can be judged');
      return [];
    }
  }

  /** A standby of another server has other rows: one of the same name that was declared in the wrong place, say. */
  async #isNear(standby: Upstream, login: Login, { at, server }: Position, behind: number): Promise<boolean> {
    try {
      const { near, same } = await this.#ask<{ near: boolean | null; same: boolean }>(standby, login, lag, [
        at,
        behind,
        server,
      ]);
      this.#say(standby, same);
      return same && near === true;
    } catch (error) {
      this.#log.debug({ host: standby.host, cause: describe(error) }, 'a standby does not answer');
      return false;
    }
  }

  #say({ host, port }: Upstream, same: boolean): void {
    const address = `${host}:${port}`;
    if (same) this.#strange.delete(address);
    if (same || this.#strange.has(address)) return;
    this.#strange.add(address);
    this.#log.warn({ host, port }, 'this is no standby of its colour: readers are not sent there');
  }

  /** By a login of a reader's that is let in; where the primary is. */
  async #asReader(
    colour: Colour,
    primary: Upstream,
    database: string,
  ): Promise<{ readonly login: Login; readonly now: Position }> {
    let last: unknown = new Error('no password of any reader is known');
    const logins = everyLogin(this.#readers).toSorted((a, b) => Number(b === this.#good) - Number(a === this.#good));
    for (const user of logins) {
      const password = await this.#passwords.of(user, colour);
      if (password === undefined) continue;
      const login = { user, password, database };
      try {
        const now = await this.#ask<Position>(primary, login, position, []);
        this.#good = user;
        return { login, now };
      } catch (error) {
        last = error;
        // A rotation moves a role to the next of its logins.
        if (!['28P01', '28000'].includes((error as { code?: string }).code ?? '')) break;
      }
    }
    throw last;
  }

  #ask<T>(upstream: Upstream, login: Login, sql: string, values: readonly unknown[]): Promise<T> {
    const { host = '127.0.0.1', port, tls } = upstream;
    const settings = { host, port, ...login, ...(tls ? { tls } : {}), readOnly: true } as ConnectionSettings;
    const asked = withOwnSession(settings, 'standbys', (client) => one<T>(client, sql, [...values]));
    return answerWithin(patience, ` of ${host}:${port}`, asked);
  }
}

/** `server`: its system identifier, which its standbys share. */
interface Position {
  readonly at: string;
  readonly server: string;
}

const position = 'SELECT pg_current_wal_lsn()::text AS at, system_identifier::text AS server FROM pg_control_system()';

const lag = `SELECT pg_is_in_recovery() AND pg_wal_lsn_diff($1, pg_last_wal_replay_lsn()) <= $2 AS near,
  system_identifier::text = $3 AS same FROM pg_control_system()`;

type Login = Pick<ConnectionSettings, 'user' | 'password' | 'database'>;
