import { probeDatabases } from '../../manifests/pooler.ts';
import type { Environment } from '../../model/environment.ts';
import { withPooledSession, type Client, type ConnectionSettings } from '../../postgres/client.ts';
import { serverIdentity } from '../../postgres/server-identity.ts';
import type { ProbeAnswer } from '../port/traffic.ts';
import { Kept } from './kept.ts';
import type { Poolers, Replica } from './poolers.ts';

/** Milliseconds for one probe of one replica; a route that is not there yet shows as silence. */
const probeLimit = 2_000;

/**
 * Questions along the clients' own ways, as an application's role: to the pooler, through either Service, to a server.
 * Where the client's connection stands already, one question is enough: PgBouncer tries to reach a server again and
 * again until the route has moved, which no asking from outside could do as fast.
 */
export class Probes {
  readonly #environment: Environment;
  readonly #poolers: Poolers;
  readonly #kept = new Map<string, Kept>();
  readonly #asked = new Set<string>();

  constructor(environment: Environment, poolers: Poolers) {
    this.#environment = environment;
    this.#poolers = poolers;
  }

  /**
   * Opens the connections that `ask` will need. One that cannot be had now could not be had behind the commit point
   * either.
   */
  async prepare(replicas: readonly Replica[]): Promise<void> {
    await this.forget();
    const opened = await Promise.allSettled(
      replicas.flatMap((replica) =>
        probeDatabases.map(async (database) => {
          this.#kept.set(key(replica, database), await Kept.open(await this.#settings(replica, database), 'probe'));
        }),
      ),
    );
    const failed = opened.find((outcome) => outcome.status === 'rejected');
    if (!failed) return;
    await this.forget();
    throw failed.reason;
  }

  async ask(replica: Replica): Promise<ProbeAnswer[]> {
    return Promise.all(
      probeDatabases.map(async (database) => {
        // A server connection made before the route moved would answer for the old colour; the fence has ended it, if
        // there was one. Who asks again was not content with the answer.
        if (this.#asked.has(key(replica, database))) await this.#poolers.reconnect(replica, database);
        this.#asked.add(key(replica, database));
        const kept = this.#kept.get(key(replica, database));
        if (!kept)
          return within(replica.pod, withPooledSession(await this.#settings(replica, database), 'probe', whoAnswers));
        try {
          return await within(replica.pod, whoAnswers(kept.client));
        } catch (error) {
          this.#kept.delete(key(replica, database));
          void kept.close();
          throw error;
        }
      }),
    );
  }

  async forget(): Promise<void> {
    const all = [...this.#kept.values()];
    this.#kept.clear();
    this.#asked.clear();
    await Promise.allSettled(all.map((each) => each.close()));
  }

  #settings(replica: Replica, database: string): Promise<ConnectionSettings> {
    const [role] = this.#environment.roles.application;
    if (role === undefined) throw new Error('a parsed declaration has an application role');
    return this.#poolers.client(replica, role, database);
  }
}

export async function whoAnswers(client: Client): Promise<ProbeAnswer> {
  const { clusterName, timeline, readOnly } = await serverIdentity(client);
  return { colour: clusterName.endsWith('-green') ? 'green' : 'blue', timeline, writable: !readOnly };
}

function key({ pod }: Replica, database: string): string {
  return `${pod} ${database}`;
}

function within<T>(pod: string, work: Promise<T>): Promise<T> {
  const limit = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => limit.reject(new Error(`no answer through ${pod} within ${probeLimit} ms`)),
    probeLimit,
  );
  work.catch(() => undefined);
  return Promise.race([work, limit.promise]).finally(() => clearTimeout(timer));
}
