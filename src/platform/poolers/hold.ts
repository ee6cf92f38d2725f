import { pauseTimeout } from '../../model/failures.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { consoleUser } from '../../manifests/pooler-users.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { consoleIdent, type Console } from './console.ts';
import type { Consoles, Replica } from './consoles.ts';

/** What the application_name of a hold's connections says: whose, how long its silence is suffered, since when. */
export interface HoldMark {
  readonly token: number;
  readonly lease: number;
  readonly since: string;
}

export function holdPurpose({ token, lease, since }: HoldMark): string {
  return `hold ${token} ${lease} ${since}`;
}

/** A row of SHOW CLIENTS. */
export interface PoolerClient {
  readonly user: string;
  readonly database: string;
  readonly application_name: string;
}

/** The hold that a client of the console has: whoever else gives himself such a name holds nobody. */
export function holdOf({ user, database, application_name: name }: PoolerClient): HoldMark | undefined {
  return user === consoleUser && database === 'pgbouncer' ? parseHold(name) : undefined;
}

export function parseHold(applicationName: string): HoldMark | undefined {
  const [, token, lease, since] = /^verdigris\/hold (\d+) (\d+) (\S+)$/.exec(applicationName) ?? [];
  return token === undefined || lease === undefined || since === undefined
    ? undefined
    : { token: Number(token), lease: Number(lease), since };
}

interface Part {
  readonly replica: Replica;
  readonly database: string;
  readonly console: Console;
}

/**
 * The clients of every replica, held by connections that stay open: PAUSE on each, which returns once no server is in a
 * transaction.
 */
export class PoolersHold {
  readonly #poolers: Consoles;
  #parts: Part[] = [];
  #begun = false;

  constructor(poolers: Consoles) {
    this.#poolers = poolers;
  }

  /** Whether clients are held by these connections, and not only could be. */
  get active(): boolean {
    return this.#begun;
  }

  /** Opens every connection that the hold will need. One to a replica that goes meanwhile is found out by `begin`. */
  async prepare(mark: HoldMark): Promise<void> {
    await this.forget();
    const replicas = await this.#poolers.required();
    const opened = await Promise.allSettled(
      replicas.flatMap((replica) =>
        this.#poolers.databases.map(async (database) => ({
          replica,
          database,
          console: await this.#poolers.open(replica, holdPurpose(mark)),
        })),
      ),
    );
    this.#parts = opened.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    const failed = opened.find((outcome) => outcome.status === 'rejected');
    if (failed) {
      await this.forget();
      throw failed.reason;
    }
    // The console for all the other words is opened by the first of them.
    await Promise.all(replicas.map((replica) => this.#poolers.paused(replica)));
  }

  /** All replicas or none: on failure, and when `budget` ms have passed, everybody goes on. */
  async begin(mark: HoldMark, budget: number, replicas: readonly Replica[]): Promise<void> {
    try {
      if (!this.#covers(replicas)) await this.prepare(mark);
      const paused = Promise.all(
        this.#parts.map(({ replica, console, database }) => pause(this.#poolers, replica, console, database)),
      );
      paused.catch(() => undefined);
      const enough = new AbortController();
      const late = sleep(budget, 'late' as const, { signal: enough.signal }).catch(() => 'late' as const);
      const outcome = await Promise.race([paused, late]).finally(() => enough.abort());
      if (outcome === 'late') throw await this.#tooLong(replicas, budget);
      this.#begun = true;
    } catch (error) {
      await Promise.allSettled(replicas.map((replica) => this.#poolers.resume(replica)));
      await this.forget();
      throw error;
    }
  }

  /** Whether what was prepared is just what is there now. */
  #covers(replicas: readonly Replica[]): boolean {
    const pods = new Set(this.#parts.map(({ replica }) => replica.pod));
    return pods.size === replicas.length && replicas.every(({ pod }) => pods.has(pod));
  }

  /** Gives up what was prepared where it does not answer any more: `begin` then opens it again. */
  async check(): Promise<void> {
    await this.renew().catch(() => this.forget());
  }

  /** Says that somebody is still there, to whoever watches. */
  async renew(): Promise<void> {
    await Promise.all(this.#parts.map(({ console }) => console.say('SHOW VERSION')));
  }

  /**
   * Lets go on whom these connections hold, each by its own: nobody waits for another's answer. Returns the pods that
   * said yes to all.
   */
  async end(): Promise<ReadonlySet<string>> {
    const parts = this.#begun ? this.#parts : [];
    const outcomes = await Promise.allSettled(
      parts.map(({ console, database }) => console.say(`RESUME ${consoleIdent(database)}`)),
    );
    const refused = new Set(
      parts.filter((_, index) => outcomes[index]?.status === 'rejected').map(({ replica }) => replica.pod),
    );
    return new Set(parts.map(({ replica }) => replica.pod).filter((pod) => !refused.has(pod)));
  }

  /**
   * Closes the connections. Does not resume: that is said to every replica, also to those that this process did not
   * hold.
   */
  async forget(): Promise<void> {
    const parts = this.#parts;
    this.#parts = [];
    this.#begun = false;
    await Promise.allSettled(parts.map(({ console }) => console.close()));
  }

  async #tooLong(replicas: readonly Replica[], budget: number): Promise<VerdigrisError> {
    const found = await Promise.all(replicas.map((replica) => this.#poolers.blockers(replica).catch(() => [])));
    const blockers = found
      .flat()
      .map(({ user, addr, application_name: name }) => `${user} from ${addr} (${name || 'no application_name'})`);
    return pauseTimeout(budget, blockers, blockers);
  }
}

/** One that is paused already, by a hold whose owner died, is as good as paused now. */
async function pause(poolers: Consoles, replica: Replica, console: Console, database: string): Promise<void> {
  try {
    await console.say(`PAUSE ${consoleIdent(database)}`);
  } catch (error) {
    if (!(await poolers.paused(replica)).includes(database)) throw error;
  }
}
