import { setTimeout as sleep } from 'node:timers/promises';
import { domain, metadata, objectNames, type Named } from '../../manifests/names.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { leaseHeld } from '../../model/failures.ts';
import type { Lease, LeaseStore } from '../port/leases.ts';
import { processIsGone, thisProcess } from '../../machine/process.ts';
import type { Cluster, Stored } from './cluster.ts';

interface LeaseObject extends Stored {
  readonly spec: {
    readonly holderIdentity?: string;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseDurationSeconds?: number;
    readonly leaseTransitions?: number;
  };
}

/** Annotation that says which process holds it. */
const processKey = `${domain}/process`;

/** Annotation of a guard's lease. */
const guardKey = `${domain}/guard`;

/** At an object that others change at the same moment. */
const attempts = 10;

/** Seconds without renewal after which a lease may be taken over. */
const duration = 10;

/** Milliseconds that an API server which is away has to come back for whoever holds a lease: less than that lasts. */
const patience = 4_000;

/**
 * One operator at a time, by a Lease of the cluster. The fencing token is leaseTransitions, which grows with every
 * acquisition. Clocks may differ: whoever is taken over too early fails at its next write of the journal, by its token.
 * A holder that ran on this very machine and is no more is not waited out. What a guard settles, every command settles
 * first: a guard's lease is taken from it.
 */
export class KubernetesLeases implements LeaseStore {
  readonly #cluster: Cluster;
  readonly #environment: Named;
  /**
   * The token under which the journal was last written: where the Lease was deleted by hand, counting goes on from
   * there.
   */
  readonly #floor: () => Promise<number>;

  readonly #guard: boolean;

  constructor(cluster: Cluster, environment: Named, floor: () => Promise<number>, guard: boolean) {
    this.#guard = guard;
    this.#cluster = cluster;
    this.#environment = environment;
    this.#floor = floor;
  }

  get #name(): string {
    return objectNames.lease(this.#environment.name);
  }

  async acquire(holder: string, gone?: number, above = 0): Promise<Lease> {
    // A holder that died cannot say so: one that renews lives, one that does not is waited out.
    let seen: string | undefined;
    for (const end = performance.now() + duration * 1000; ; await sleep(250)) {
      const found = await this.#cluster.read<LeaseObject>('Lease', this.#name);
      const held =
        found &&
        found.spec.leaseTransitions !== gone &&
        (this.#guard || found.metadata.annotations?.[guardKey] !== 'true') &&
        !(await processIsGone(found.metadata.annotations?.[processKey] ?? '')) &&
        alive(found);
      if (found && held && performance.now() < end) {
        seen ??= found.spec.renewTime;
        if (found.spec.renewTime !== seen) throw leaseHeld(held.holder, held.since);
        continue;
      }
      const taken = await this.#take(found, holder, above);
      if (taken) return this.#lease(taken);
    }
  }

  async holder(): Promise<{ holder: string; since: string } | undefined> {
    const found = await this.#cluster.read<LeaseObject>('Lease', this.#name);
    return found && alive(found);
  }

  /** Undefined where somebody else was faster. */
  async #take(found: LeaseObject | undefined, holder: string, above: number): Promise<LeaseObject | undefined> {
    const token = Math.max(found?.spec.leaseTransitions ?? 0, await this.#floor(), above) + 1;
    const spec = {
      holderIdentity: holder,
      acquireTime: micro(),
      renewTime: micro(),
      leaseDurationSeconds: duration,
      leaseTransitions: token,
    };
    const mark = { [processKey]: (await thisProcess()) ?? '', [guardKey]: String(this.#guard) };
    if (!found)
      return this.#cluster.create<LeaseObject>({
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: metadata(this.#environment, 'journal', this.#name, {}, mark),
        spec,
      });
    return this.#swap({
      ...found,
      metadata: { ...found.metadata, annotations: { ...found.metadata.annotations, ...mark } },
      spec,
    });
  }

  async #swap(object: LeaseObject): Promise<LeaseObject | undefined> {
    try {
      return await this.#cluster.replace<LeaseObject>(object);
    } catch (error) {
      if (error instanceof VerdigrisError && (error.id === 'object-conflict' || error.id === 'object-missing'))
        return undefined;
      throw error;
    }
  }

  /** Undefined where the lease is another's by now. A label that some tool put on the object takes it from nobody. */
  async #change(
    mine: LeaseObject,
    spec: (now: LeaseObject['spec']) => LeaseObject['spec'],
  ): Promise<LeaseObject | undefined> {
    for (let [now, attempt] = [mine, 1]; ; attempt++) {
      const changed = await this.#swap({ ...now, spec: spec(now.spec) });
      if (changed || attempt === attempts) return changed;
      const found = await this.#cluster.read<LeaseObject>('Lease', this.#name);
      if (!found || found.metadata.uid !== mine.metadata.uid || !isSameTenure(found.spec, mine.spec)) return undefined;
      now = found;
    }
  }

  #lease(taken: LeaseObject): Lease {
    let mine: LeaseObject | undefined = taken;
    const token = taken.spec.leaseTransitions ?? 0;
    this.#cluster.endure(patience);
    // One write after the other: a release that met a renewal under way would lose to it, and the lease would seem
    // held.
    let last: Promise<unknown> = Promise.resolve();
    const change = (spec: (now: LeaseObject['spec']) => LeaseObject['spec']): Promise<boolean> => {
      const next = last
        .catch(() => undefined)
        .then(async () => {
          if (mine) mine = await this.#change(mine, spec);
          return mine !== undefined;
        });
      last = next;
      return next;
    };
    return {
      token,
      lasts: duration * 1000,
      renew: () => change((spec) => ({ ...spec, renewTime: micro() })),
      release: async () => {
        await change(({ holderIdentity: _, ...spec }) => spec);
        mine = undefined;
        this.#cluster.endure(0);
      },
    };
  }
}

/** Each acquisition has a token of its own. A renewal whose answer was lost is no other's. */
function isSameTenure(one: LeaseObject['spec'], another: LeaseObject['spec']): boolean {
  return one.leaseTransitions === another.leaseTransitions && one.holderIdentity === another.holderIdentity;
}

function alive({ spec }: LeaseObject): { holder: string; since: string } | undefined {
  if (spec.holderIdentity === undefined || spec.renewTime === undefined) return undefined;
  const ends = Date.parse(spec.renewTime) + (spec.leaseDurationSeconds ?? duration) * 1000;
  return ends > Date.now() ? { holder: spec.holderIdentity, since: spec.acquireTime ?? spec.renewTime } : undefined;
}

/** MicroTime of the Kubernetes API. */
function micro(): string {
  return new Date().toISOString().replace('Z', '000Z');
}
