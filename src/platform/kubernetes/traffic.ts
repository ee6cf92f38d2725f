import { objectNames } from '../../components/manifests/names.ts';
import { probeDatabase, probeReadersDatabase } from '../../components/manifests/pooler.ts';
import type { Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { one, withClient } from '../../postgres/client.ts';
import { serverIdentity } from '../../postgres/server-identity.ts';
import type { ProbeAnswer, Traffic, TrafficStatus } from '../port.ts';
import type { Cluster, Stored } from './cluster.ts';
import { Hold, parseHold } from './hold.ts';
import type { Poolers, Replica } from './poolers.ts';
import { staleToken, type Routes } from './routes.ts';

/** Milliseconds for one probe of one replica; a route that is not there yet shows as a refused login or as silence. */
const probeLimit = 2_000;

/** Milliseconds that a hold's connections, opened beforehand, say that their silence may last: as the operations hold by. */
const preparedLease = 3_000;

/** The clients' path: poolers, Services, and Istio's routes where there are some. */
export class KubernetesTraffic implements Traffic {
  readonly #environment: Environment;
  readonly #cluster: Cluster;
  readonly #poolers: Poolers;
  readonly #routes: Routes;
  readonly #hold: Hold;

  constructor(environment: Environment, cluster: Cluster, poolers: Poolers, routes: Routes) {
    this.#environment = environment;
    this.#cluster = cluster;
    this.#poolers = poolers;
    this.#routes = routes;
    this.#hold = new Hold(poolers);
  }

  /** Where clients connect. */
  get address(): string {
    return `${objectNames.pooler(this.#environment.name)}.${this.#cluster.namespace}.svc:5432`;
  }

  async status(): Promise<TrafficStatus> {
    const { address } = this;
    const [route, replicas] = await Promise.all([this.#routes.current(), this.#poolers.replicas()]);
    if (!route) return { address, running: false };
    const seen = await Promise.all(replicas.map((replica) => this.#look(replica).catch(() => undefined)));
    const mark = seen.flatMap((each) => each?.marks ?? []).at(0);
    const paused = seen.some((each) => each?.paused === true);
    return {
      address,
      running: replicas.length > 0,
      live: route.live,
      canary: route.canary,
      held: paused ? { since: mark?.since ?? 'unknown', token: mark?.token ?? 0 } : undefined,
      clients: { [route.live]: seen.reduce((sum, each) => sum + (each?.clients ?? 0), 0) },
    };
  }

  prepare(token: number): Promise<void> {
    return this.#hold.prepare({ token, lease: preparedLease, since: new Date().toISOString() });
  }

  async hold(token: number, budget: number, lease: number): Promise<void> {
    await this.#requireNewest(token);
    await this.#hold.begin({ token, lease, since: new Date().toISOString() }, budget);
  }

  async renew(): Promise<void> {
    await this.#hold.renew();
  }

  route(token: number, live: Colour, canary: number): Promise<void> {
    return this.#routes.move({ token, live, canary });
  }

  /** Every replica must say the same, for writers and readers: each has its own way through each Service. */
  async probe(): Promise<ProbeAnswer> {
    const answers = await Promise.all((await this.#poolers.required()).flatMap((replica) => [probeDatabase, probeReadersDatabase].map((database) => this.#ask(replica, database))));
    const [first] = answers;
    if (!first) throw new Error('there is at least one replica');
    const odd = answers.find(({ colour, writable }) => colour !== first.colour || writable !== first.writable);
    if (odd) throw new Error(`the poolers do not agree: ${first.colour} and ${odd.colour}`);
    return first;
  }

  async resume(token: number): Promise<void> {
    await this.#requireNewest(token);
    const replicas = await this.#poolers.replicas();
    const outcomes = await Promise.allSettled(replicas.map((replica) => this.#poolers.resume(replica)));
    await this.#hold.forget();
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Selectors find the servers by themselves. */
  refresh(): Promise<void> {
    return Promise.resolve();
  }

  async #ask(replica: Replica, database: string): Promise<ProbeAnswer> {
    const [role] = this.#environment.roles.application;
    if (role === undefined) throw new Error('a parsed declaration has an application role');
    // A server connection made before the route moved would answer for the old colour.
    await this.#poolers.say(replica, `RECONNECT ${database}`);
    const limit = Promise.withResolvers<never>();
    const timer = setTimeout(() => limit.reject(new Error(`no answer through ${replica.pod} within ${probeLimit} ms`)), probeLimit);
    const asking = withClient(await this.#poolers.client(replica, role, database), 'probe', async (client) => {
      const { clusterName, timeline, inRecovery } = await serverIdentity(client);
      const { fenced } = await one<{ fenced: boolean }>(client, "SELECT current_setting('transaction_read_only') = 'on' AS fenced");
      return { colour: clusterName.endsWith('-green') ? 'green' : 'blue', timeline, writable: !inRecovery && !fenced } as const;
    });
    asking.catch(() => undefined);
    return Promise.race([asking, limit.promise]).finally(() => clearTimeout(timer));
  }

  async #look(replica: Replica): Promise<{ marks: NonNullable<ReturnType<typeof parseHold>>[]; clients: number; paused: boolean }> {
    const clients = await this.#poolers.say<{ application_name: string; database: string }>(replica, 'SHOW CLIENTS');
    return {
      marks: clients.flatMap(({ application_name: name }) => parseHold(name) ?? []),
      clients: clients.filter(({ database }) => this.#poolers.databases.includes(database)).length,
      paused: (await this.#poolers.paused(replica)).length > 0,
    };
  }

  /** The poolers know no tokens: whoever lost the lease is stopped here, and at the latest by the journal and the database. */
  async #requireNewest(token: number): Promise<void> {
    const name = objectNames.lease(this.#environment.name);
    const lease = await this.#cluster.read<Stored & { spec: { leaseTransitions?: number } }>('Lease', name);
    const newest = lease?.spec.leaseTransitions ?? 0;
    if (newest > token) throw staleToken(token, newest, `Lease ${name}`);
  }
}
