import { probeDatabases } from '../../manifests/pooler-settings.ts';
import type { Environment } from '../../model/environment.ts';
import { answerWithin } from '../../model/wait.ts';
import type { Client } from '../../postgres/client.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { serverIdentity } from '../../postgres/server-identity.ts';
import type { ProbeAnswer } from '../port/traffic.ts';
import { Kept } from '../poolers/kept.ts';
import type { Replica } from '../poolers/consoles.ts';
import type { Poolers } from './poolers.ts';

/** Milliseconds for one probe of one replica; a route that is not there yet shows as silence. */
const probeLimit = 2_000;

/**
 * Questions along the clients' own ways, as an application's role: to the pooler, through either Service, to a server.
 * Where the client's connection is open already, one question is enough: PgBouncer tries to reach a server again and
 * again until the route has moved, which no asking from outside could do as fast.
 */
export class Probes {
  readonly #environment: Environment;
  readonly #poolers: Pick<Poolers, 'client' | 'reconnect'>;
  readonly #kept = new Map<string, Kept>();
  /** One attempt at a time each: one that hangs is waited for again, and no second one is begun beside it. */
  readonly #opening = new Map<string, Promise<Kept>>();
  readonly #asked = new Set<string>();

  constructor(environment: Environment, poolers: Pick<Poolers, 'client' | 'reconnect'>) {
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
          await this.#open(replica, database);
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
        const kept =
          this.#kept.get(key(replica, database)) ??
          (await answerWithin(probeLimit, ` through ${replica.pod}`, this.#open(replica, database)));
        try {
          return await answerWithin(probeLimit, ` through ${replica.pod}`, whoAnswers(kept.client));
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
    for (const opening of this.#opening.values()) void opening.then((kept) => kept.close()).catch(() => undefined);
    this.#kept.clear();
    this.#opening.clear();
    this.#asked.clear();
    await Promise.allSettled(all.map((each) => each.close()));
  }

  #open(replica: Replica, database: string): Promise<Kept> {
    const at = key(replica, database);
    const underWay = this.#opening.get(at);
    if (underWay) return underWay;
    const opening = this.#settings(replica, database).then((settings) => Kept.open(settings, 'probe'));
    this.#opening.set(at, opening);
    const here = () => this.#opening.get(at) === opening;
    return opening
      .then((kept) => {
        if (here()) this.#kept.set(at, kept);
        return kept;
      })
      .finally(() => {
        if (here()) this.#opening.delete(at);
      });
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
