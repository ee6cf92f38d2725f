import { domain, metadata } from '../../manifests/names.ts';
import type { Manifest } from '../../manifests/manifest.ts';
import { other, type Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { staleToken } from '../../model/failures.ts';
import { finding, type Finding } from '../../model/finding.ts';
import { withOwnSession } from '../../postgres/client.ts';
import { serverIdentity } from '../../postgres/server-identity.ts';
import { readColour } from '../../postgres/token.ts';
import type { Cluster, Stored } from '../kubernetes/cluster.ts';
import type { Trial } from '../trial.ts';
import type { ProbeAnswer, Traffic, TrafficStatus } from '../port/traffic.ts';
import type { CnpgServer } from './server.ts';

const port = 5432;

/** Attempts at a Service that others change at the same moment. */
const attempts = 5;

interface ServiceObject extends Stored {
  readonly spec: { readonly clusterIP?: string; readonly selector?: Readonly<Record<string, string>> };
}

/** Where the uid of the Service is kept: its name alone says not whose it is. Durable when it returns. */
export interface UidStore {
  read(): Promise<string | undefined>;
  write(uid: string): Promise<void>;
}

/**
 * One Service of ours, whose selector names the primary of the live Cluster: it follows that Cluster's failovers by
 * itself, and a switchover is one compare-and-swap of it. Nothing stands between a client and its server, so nobody can
 * be held: the fence ends the clients' sessions and refuses new ones until the writes have moved.
 */
export class ServiceTraffic implements Traffic {
  readonly #environment: Environment;
  readonly #servers: (colour: Colour) => CnpgServer;
  readonly #api: Cluster;
  readonly #name: string;
  readonly #uid: UidStore;
  /** As it was read beforehand, while nobody waits. */
  #known: ServiceObject | undefined;

  /** `servers`: both colours that are declared are Clusters of one namespace. */
  constructor(environment: Environment, servers: (colour: Colour) => CnpgServer, uid: UidStore) {
    this.#uid = uid;
    this.#environment = environment;
    this.#servers = servers;
    this.#api = servers(environment.live).api;
    this.#name = environment.traffic?.name ?? environment.name;
  }

  /** Makes the Service of a new environment. @throws VerdigrisError `service-taken` */
  async create(live: Colour): Promise<void> {
    const made = await this.#api.create(this.#manifest(live, 0));
    if (!made) throw this.#taken();
    await this.#uid.write(made.metadata.uid);
  }

  /** The very one that was made, and none that took its name. */
  async remove(): Promise<void> {
    const found = await this.#api.read<ServiceObject>('Service', this.#name);
    if (found && found.metadata.uid === (await this.#uid.read())) await this.#api.delete('Service', this.#name);
  }

  /** What is changed behind the commit point is tried before it: by the API server, which writes nothing. */
  get trial(): Trial {
    return {
      thing: `the Service ${this.#where}`,
      fix: 'Give who runs Verdigris the right to update it, and take away what else refuses it.',
      use: async () => this.#api.replace(await this.#read(Infinity), { dryRun: true }),
    };
  }

  async status(): Promise<TrafficStatus> {
    const found = await this.#api.read<ServiceObject>('Service', this.#name);
    const host = this.#api.inside ? `${this.#name}.${this.#api.namespace}.svc` : (found?.spec.clusterIP ?? this.#where);
    const live = found && this.#liveOf(found);
    return { address: `${host}:${port}`, running: found !== undefined, ...(live ? { live, canary: 0 } : {}) };
  }

  async prepare(token: number): Promise<void> {
    this.#known = await this.#read(token);
  }

  /** Nobody can be held. That no newer operator is at work is looked at before anybody is cut off. */
  async hold(token: number): Promise<void> {
    this.#known = await this.#read(token);
  }

  renew(): Promise<void> {
    return Promise.resolve();
  }

  async route(token: number, live: Colour, canary: number): Promise<void> {
    if (canary > 0)
      throw new VerdigrisError('canary-needs-istio', {
        seen: `A canary of ${canary} % is asked for, and clients come by the Service ${this.#where}.`,
        required: 'routes that know weights: a Service’s selector does not.',
        next: 'go on without a canary.',
      });
    for (let attempt = 1; ; attempt++) {
      const found = this.#known ?? (await this.#read(token));
      this.#known = undefined;
      const { spec, metadata: wanted } = this.#manifest(live, token);
      try {
        await this.#api.replace({
          ...found,
          metadata: { ...found.metadata, annotations: { ...found.metadata.annotations, ...wanted.annotations } },
          spec: { ...found.spec, selector: spec.selector },
        } as Stored);
        return;
      } catch (error) {
        if (!(error instanceof VerdigrisError && error.id === 'object-conflict') || attempt >= attempts) throw error;
      }
    }
  }

  weighing(): Promise<Finding[]> {
    return Promise.resolve([
      finding('canary-needs-istio', {
        objects: [],
        reason: 'A share of the readers needs routes that know weights: a Service’s selector does not.',
      }),
    ]);
  }

  /** By the Service's address; who answers there shows the certificate of his own Cluster. */
  async probe(): Promise<ProbeAnswer> {
    const found = this.#known ?? (await this.#api.read<ServiceObject>('Service', this.#name));
    const live = found && this.#liveOf(found);
    if (!live) throw new Error(`the Service ${this.#where} leads to neither colour`);
    const settings = {
      ...(await this.#servers(live).connection()),
      host: found.spec.clusterIP ?? '',
      database: this.#environment.database,
    };
    return withOwnSession(settings, 'probe', async (client) => {
      const { timeline, inRecovery } = await serverIdentity(client);
      const colour = await readColour(client);
      if (!colour) throw new Error('a server that bears no colour answers');
      return { colour, timeline, writable: !inRecovery };
    });
  }

  resume(): Promise<void> {
    return Promise.resolve();
  }

  refresh(): Promise<void> {
    return Promise.resolve();
  }

  get #where(): string {
    return `${this.#api.namespace}/${this.#name}`;
  }

  async #read(token: number): Promise<ServiceObject> {
    const found = await this.#api.read<ServiceObject>('Service', this.#name);
    if (!found)
      throw new VerdigrisError('object-missing', {
        seen: `The Service ${this.#where} is gone: clients have no way.`,
        required: 'the Service by which clients come.',
        next: 'run `verdigris start`, which makes it again; then run the same command again.',
      });
    if (found.metadata.uid !== (await this.#uid.read())) throw this.#taken();
    const newest = Number(found.metadata.annotations?.[`${domain}/token`] ?? 0);
    if (newest > token) throw staleToken(`the Service ${this.#where}`, token, newest);
    return found;
  }

  #taken(): VerdigrisError {
    return new VerdigrisError('service-taken', {
      seen: `The Service ${this.#where} is none that this environment made.`,
      required: 'a name that is free: clients of somebody else’s Service would be moved.',
      next: 'declare another traffic.name; or, where it is a remainder of this environment, delete it and run `verdigris start`. Nothing was changed.',
    });
  }

  #liveOf({ spec: { selector = {} } }: ServiceObject): Colour | undefined {
    const { live } = this.#environment;
    return [live, other(live)].find(
      (colour) =>
        this.#environment.colours[colour] !== undefined && this.#servers(colour).name === selector['cnpg.io/cluster'],
    );
  }

  #manifest(live: Colour, token: number): Manifest & { readonly spec: { readonly selector: Record<string, string> } } {
    const selector = { 'cnpg.io/cluster': this.#servers(live).name, 'cnpg.io/instanceRole': 'primary' };
    const { labels, annotations } = metadata(
      this.#environment,
      'traffic',
      this.#name,
      {},
      { [`${domain}/token`]: String(token), [`${domain}/live`]: live },
    );
    return {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: this.#name, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) },
      spec: { selector, ports: [{ name: 'postgres', port, targetPort: port }] } as {
        readonly selector: Record<string, string>;
      },
    };
  }
}
