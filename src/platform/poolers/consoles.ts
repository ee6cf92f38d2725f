import type { ConnectionSettings } from '../../postgres/connection.ts';
import { consoleIdent, type Console } from './console.ts';
import { describe, VerdigrisError } from '../../model/errors.ts';

/** A replica of the pooler. */
export interface Replica {
  readonly pod: string;
  /** Where its clients' port is for this process. */
  readonly address: Pick<ConnectionSettings, 'host' | 'port' | 'tls'>;
}

/** A client that stands in the way of a pause, as PgBouncer sees it. */
export interface Blocker {
  readonly user: string;
  readonly addr: string;
  readonly application_name: string;
  readonly state: string;
  readonly database: string;
}

/** PgBouncers whose clients are held together, and their admin consoles. */
export abstract class Consoles {
  readonly #consoles = new Map<string, Promise<Console>>();

  /** The databases that clients use, and that are paused. */
  abstract get databases(): readonly string[];

  /** All of them; throws where there is none: then nobody could be held. */
  abstract required(): Promise<Replica[]>;

  /** @throws VerdigrisError `pooler-unreachable` */
  abstract open(replica: Replica, purpose: string): Promise<Console>;

  /** Runs a command on a replica's console, which stays open for the next one. */
  async say<T>(replica: Replica, command: string): Promise<T[]> {
    const opening = this.#consoles.get(replica.pod) ?? this.open(replica, 'console');
    this.#consoles.set(replica.pod, opening);
    try {
      const console = await opening;
      return await console.say<T>(command);
    } catch (error) {
      // A refusal is an answer, and its console as good as before.
      if (error instanceof Error && 'severity' in error) throw error;
      this.#consoles.delete(replica.pod);
      void opening.then(
        (console) => console.close(),
        () => undefined,
      );
      throw error;
    }
  }

  /** The databases of ours that a replica has paused. */
  async paused(replica: Replica): Promise<string[]> {
    const found = await this.say<{ name: string; paused: unknown }>(replica, 'SHOW DATABASES');
    return found
      .filter(({ name, paused }) => this.databases.includes(name) && String(paused) === '1')
      .map(({ name }) => name);
  }

  /** Lets the clients of a replica go on. RESUME of a database that is not paused is an error, and what was wanted. */
  async resume(replica: Replica): Promise<void> {
    await Promise.all(
      this.databases.map(async (database) => {
        try {
          await this.say(replica, `RESUME ${consoleIdent(database)}`);
        } catch (error) {
          if ((await this.paused(replica)).includes(database)) throw error;
        }
      }),
    );
  }

  async blockers(replica: Replica): Promise<Blocker[]> {
    const clients = await this.say<Blocker>(replica, 'SHOW CLIENTS');
    return clients.filter(({ database, state }) => this.databases.includes(database) && state === 'active');
  }

  async close(): Promise<void> {
    for (const opening of this.#consoles.values())
      await opening.then(
        (console) => console.close(),
        () => undefined,
      );
    this.#consoles.clear();
  }
}

/** `which`: whose admin console; `facts`: the same for programs. */
export function poolerUnreachable(
  which: string,
  next: string,
  facts: Readonly<Record<string, unknown>>,
  cause: unknown,
): VerdigrisError {
  return new VerdigrisError('pooler-unreachable', {
    seen: `The admin console of ${which}: ${describe(cause)}.`,
    required: 'every pooler that clients come through: the clients of one left out would not be held.',
    next,
    facts,
    cause,
  });
}
