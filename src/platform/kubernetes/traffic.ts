import { setTimeout as sleep } from 'node:timers/promises';
import { objectNames } from '../../manifests/names.ts';
import { readersDatabase } from '../../manifests/pooler-settings.ts';
import type { Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { describe } from '../../model/errors.ts';
import { finding, type Finding } from '../../model/finding.ts';
import type { PathTrouble, ProbeAnswer, Traffic, TrafficStatus } from '../port/traffic.ts';
import type { Cluster, Stored } from './cluster.ts';
import { PoolersHold, holdOf, type HoldMark, type PoolerClient } from '../poolers/hold.ts';
import { hasSidecar } from './pods.ts';
import type { Replica } from '../poolers/consoles.ts';
import type { Poolers } from './poolers.ts';
import { Probes } from './probes.ts';
import { staleToken } from '../../model/failures.ts';
import type { Routes } from './routes.ts';

/** Milliseconds that a look at the Lease holds good: shorter than a lease takes to run out. */
const lookHolds = 500;

/**
 * Looks at a pool that is always making connections, 20 ms apart, before it is left to itself: what it makes now goes
 * by the new weights.
 */
const respreadTurns = 50;

/** Milliseconds that a hold's connections, opened beforehand, say that their silence may last at least: as the operations hold by. */
const preparedLease = 3_000;

/** Milliseconds beyond the wait for open transactions, in which the connections that ask for it say nothing else. */
const afterPause = 1_000;

/** The clients' path: poolers, Services, and Istio's routes where there are some. */
export class KubernetesTraffic implements Traffic {
  readonly #environment: Environment;
  readonly #cluster: Cluster;
  readonly #poolers: Poolers;
  readonly #shown: Poolers;
  readonly #routes: Routes;
  readonly #hold: PoolersHold;
  readonly #probes: Probes;
  /** What the last good probe saw of the Lease, by a clock that never jumps. */
  #looked: { readonly newest: number; readonly at: number } | undefined;
  /** The replicas that were there when last asked for. */
  #known: readonly Replica[] = [];

  /** `shown`: the poolers as who only looks may see them. */
  constructor(environment: Environment, cluster: Cluster, poolers: Poolers, routes: Routes, shown: Poolers) {
    this.#shown = shown;
    this.#environment = environment;
    this.#cluster = cluster;
    this.#poolers = poolers;
    this.#routes = routes;
    this.#hold = new PoolersHold(poolers);
    this.#probes = new Probes(environment, poolers);
  }

  /** Where clients connect. */
  get address(): string {
    return `${objectNames.pooler(this.#environment.name)}.${this.#cluster.namespace}.svc:5432`;
  }

  status(): Promise<TrafficStatus> {
    return this.#status(this.#poolers);
  }

  readerStatus(): Promise<TrafficStatus> {
    return this.#status(this.#shown);
  }

  async #status(poolers: Poolers): Promise<TrafficStatus> {
    const { address } = this;
    const [route, replicas] = await Promise.all([this.#routes.current(), poolers.replicas()]);
    if (!route) return { address, running: false };
    const looks = await Promise.allSettled(replicas.map((replica) => look(poolers, replica)));
    const seen = looks.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const silent = looks.flatMap((each) => (each.status === 'rejected' ? [describe(each.reason)] : []));
    const mark = seen.flatMap(({ marks }) => marks).at(0);
    return {
      address,
      running: replicas.length > 0,
      // Clients of the others are served, and whether they are held is known.
      ...(seen.length === 0 && silent.length > 0 ? { trouble: unasked(silent) } : {}),
      live: route.live,
      canary: route.canary,
      held: seen.some(({ paused }) => paused) ? { since: mark?.since, token: mark?.token ?? 0 } : undefined,
      clients: { [route.live]: seen.reduce((sum, { clients }) => sum + clients, 0) },
    };
  }

  /** Reads and opens beforehand all that the hold, the route and the resume will need. */
  async prepare(token: number): Promise<void> {
    await this.#poolers.settled();
    const replicas = await this.#poolers.required();
    await Promise.all([
      this.#hold.prepare({ token, lease: this.#silence(preparedLease), since: new Date().toISOString() }),
      this.#routes.foresee(),
      this.#probes.prepare(replicas),
    ]);
  }

  async hold(token: number, budget: number, lease: number): Promise<void> {
    const [replicas] = await Promise.all([this.#poolers.required(), this.#requireNewest(token), this.#hold.check()]);
    await this.#hold.begin({ token, lease: this.#silence(lease), since: new Date().toISOString() }, budget, replicas);
    this.#known = replicas;
  }

  async renew(): Promise<void> {
    await this.#hold.renew();
  }

  #silence(lease: number): number {
    return Math.max(lease, this.#environment.limits.pause + afterPause);
  }

  async route(token: number, live: Colour, canary: number): Promise<void> {
    await this.#routes.move({ token, live, canary });
    // Weights are by connection: the readers' old ones would stay where they are. A hold has ended them all already.
    if (!this.#hold.active) await this.respread();
  }

  /** Has the readers' connections made again, so that they go by the weights of now. */
  async respread(): Promise<void> {
    const database = readersDatabase(this.#environment.database);
    await Promise.all(
      (await this.#poolers.replicas()).map(async (replica) => {
        for (let turn = 0; turn < respreadTurns && !(await this.#poolers.reconnect(replica, database)); turn++)
          await sleep(20);
      }),
    );
  }

  async weightFindings(): Promise<Finding[]> {
    if (!this.#environment.kubernetes.istio)
      return [
        finding('canary-needs-istio', {
          objects: [],
          reason: "Splitting readers needs routes with weights, which a Service's selector does not have.",
        }),
      ];
    const outside = (await this.#poolers.pods())
      .filter((pod) => !hasSidecar(pod))
      .map(({ metadata: { name } }) => name);
    if (outside.length === 0) return [];
    return [
      finding('canary-outside-mesh', {
        objects: outside,
        reason:
          'Weights are applied by the proxy beside the client: readers that come through these poolers all stay on the live colour.',
        fix:
          'Label the namespace istio-injection=enabled and restart the poolers; until then only readers with a ' +
          `sidecar of their own, who connect to ${objectNames.reads(this.#environment.name)}, are split by weight.`,
      }),
    ];
  }

  /** Every replica must say the same on both ways, of writes and of reads: each has its own through either Service. */
  async probe(): Promise<ProbeAnswer> {
    const held = this.#known;
    const [replicas, asked, newest] = await Promise.all([
      this.#poolers.required(),
      Promise.allSettled(held.map((replica) => this.#probes.ask(replica))),
      this.#newest(),
    ]);
    this.#known = replicas;
    const same = replicas.length === held.length && replicas.every(({ pod }, index) => pod === held[index]?.pod);
    const outcomes = same ? asked : await Promise.allSettled(replicas.map((replica) => this.#probes.ask(replica)));
    const answers = outcomes.flatMap((outcome) => {
      if (outcome.status === 'rejected') throw outcome.reason;
      return outcome.value;
    });
    const [first] = answers;
    if (!first) throw new Error('there is at least one replica');
    const odd = answers.find(({ colour, writable }) => colour !== first.colour || writable !== first.writable);
    if (odd) throw new Error(`the poolers do not agree: ${first.colour} and ${odd.colour}`);
    this.#looked = { newest, at: performance.now() };
    return first;
  }

  async resume(token: number): Promise<void> {
    // A successful probe has just read the Lease, while clients waited for the route: they do not wait for it once
    // more.
    const fresh = this.#looked !== undefined && performance.now() - this.#looked.at < lookHolds;
    if (fresh && this.#looked) requireNewest(token, this.#looked.newest, this.#lease);
    else await this.#requireNewest(token);
    const [replicas, freed] = await Promise.all([this.#poolers.replicas(), this.#hold.end()]);
    // Those whom this process did not hold: a predecessor did, or they came meanwhile.
    const outcomes = await Promise.allSettled(
      replicas.filter(({ pod }) => !freed.has(pod)).map((replica) => this.#poolers.resume(replica)),
    );
    await this.close();
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /**
   * Lets the clients of one pooler go where both of its own ways lead to `live`, and nobody newer than `gone` holds
   * them by now. False, and nothing done, where that is not so.
   */
  async letGo(pod: string, live: Colour, gone = 0): Promise<boolean> {
    const replica = (await this.#poolers.replicas()).find((each) => each.pod === pod);
    if (!replica) return false;
    const answers = await this.#probes.ask(replica);
    if (answers.some(({ colour, writable }) => colour !== live || !writable)) return false;
    if ((await look(this.#poolers, replica)).marks.some(({ token }) => token > gone)) return false;
    await this.#poolers.resume(replica);
    return true;
  }

  /** Ends what was opened to ask: a process that keeps a connection does not end. */
  async close(): Promise<void> {
    await Promise.all([this.#hold.forget(), this.#probes.forget()]);
  }

  /** Selectors find the servers by themselves. */
  refresh(): Promise<void> {
    return Promise.resolve();
  }

  /**
   * The poolers know no tokens: whoever lost the lease is stopped here, and at the latest by the journal and the
   * database.
   */
  async #requireNewest(token: number): Promise<void> {
    requireNewest(token, await this.#newest(), this.#lease);
  }

  async #newest(): Promise<number> {
    return (
      (await this.#cluster.read<Stored & { spec: { leaseTransitions?: number } }>('Lease', this.#lease))?.spec
        .leaseTransitions ?? 0
    );
  }

  get #lease(): string {
    return objectNames.lease(this.#environment.name);
  }
}

async function look(
  poolers: Poolers,
  replica: Replica,
): Promise<{ marks: HoldMark[]; clients: number; paused: boolean }> {
  const clients = await poolers.say<PoolerClient>(replica, 'SHOW CLIENTS');
  return {
    marks: clients.flatMap((client) => holdOf(client) ?? []),
    clients: clients.filter(({ database }) => poolers.databases.includes(database)).length,
    paused: (await poolers.paused(replica)).length > 0,
  };
}

function unasked(why: readonly string[]): PathTrouble {
  return {
    seen: [...new Set(why)].join('; '),
    repair: "see the poolers' logs; for a Secret that lacks a key, `verdigris dashboard --grant`",
  };
}

function requireNewest(token: number, newest: number, lease: string): void {
  if (newest > token) throw staleToken(`Lease ${lease}`, token, newest);
}
