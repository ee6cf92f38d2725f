import { domain, metadata } from '../../manifests/names.ts';
import type { Environment } from '../../model/environment.ts';
import type { Colour } from '../../model/colours.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { staleToken } from '../../model/failures.ts';
import type { Cluster, Stored } from '../kubernetes/cluster.ts';

/** At which clients reach the Service, and the Service the servers. */
export const servicePort = 5432;

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

/** The Service by which clients come: which primary it selects, under a token that only grows. */
export class OwnService {
  readonly #environment: Environment;
  readonly #api: Cluster;
  readonly #name: string;
  readonly #uid: UidStore;
  /** As it was read beforehand, while nobody waits. */
  #known: ServiceObject | undefined;

  constructor(environment: Environment, api: Cluster, uid: UidStore) {
    this.#environment = environment;
    this.#api = api;
    this.#name = environment.traffic?.name ?? environment.name;
    this.#uid = uid;
  }

  get where(): string {
    return `${this.#api.namespace}/${this.#name}`;
  }

  /** The name by which pods of the cluster reach it; undefined outside of it. */
  get nameInside(): string | undefined {
    return this.#api.inside ? `${this.#name}.${this.#api.namespace}.svc` : undefined;
  }

  /** Makes it, for the Cluster that is live. @throws VerdigrisError `service-taken` */
  async create(live: Colour, cluster: string): Promise<void> {
    const { labels, annotations } = this.#metadata(live, 0);
    const made = await this.#api.create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: this.#name, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) },
      spec: {
        selector: selectorOf(cluster),
        ports: [{ name: 'postgres', port: servicePort, targetPort: servicePort }],
      },
    });
    if (!made) throw this.#taken();
    await this.#uid.write(made.metadata.uid);
  }

  /** The very one that was made, and none that took its name. */
  async remove(): Promise<void> {
    const found = await this.#api.read<ServiceObject>('Service', this.#name);
    if (found && found.metadata.uid === (await this.#uid.read())) await this.#api.delete('Service', this.#name);
  }

  /** Asks the API server whether a change would be taken; it writes nothing. */
  async rehearse(): Promise<void> {
    await this.#api.replace(await this.#read(Infinity), { dryRun: true });
  }

  /** Whose primary it selects, and where it is reached; undefined where it is gone. */
  async observe(): Promise<{ readonly cluster: string | undefined; readonly host: string | undefined } | undefined> {
    const found = await this.#api.read<ServiceObject>('Service', this.#name);
    return found && { cluster: found.spec.selector?.['cnpg.io/cluster'], host: found.spec.clusterIP };
  }

  /**
   * Reads it for the change to come.
   * @throws VerdigrisError `object-missing`, `service-taken`, or `stale-token` where a newer operator is at work.
   */
  async prepare(token: number): Promise<void> {
    this.#known = await this.#read(token);
  }

  /** One compare-and-swap of its selector. */
  async select(token: number, live: Colour, cluster: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const found = this.#known ?? (await this.#read(token));
      this.#known = undefined;
      const { annotations } = this.#metadata(live, token);
      try {
        await this.#api.replace({
          ...found,
          metadata: { ...found.metadata, annotations: { ...found.metadata.annotations, ...annotations } },
          spec: { ...found.spec, selector: selectorOf(cluster) },
        } as Stored);
        return;
      } catch (error) {
        if (!(error instanceof VerdigrisError && error.id === 'object-conflict') || attempt >= attempts) throw error;
      }
    }
  }

  async #read(token: number): Promise<ServiceObject> {
    const found = await this.#api.read<ServiceObject>('Service', this.#name);
    if (!found)
      throw new VerdigrisError('service-gone', {
        seen: `The Service ${this.where} is gone: clients cannot connect.`,
        required: 'the Service by which clients come.',
        next: 'run `verdigris start`, which makes it again; then run the same command again.',
      });
    if (found.metadata.uid !== (await this.#uid.read())) throw this.#taken();
    const newest = Number(found.metadata.annotations?.[`${domain}/token`] ?? 0);
    if (newest > token) throw staleToken(`the Service ${this.where}`, token, newest);
    return found;
  }

  #taken(): VerdigrisError {
    return new VerdigrisError('service-taken', {
      seen: `The Service ${this.where} was not made by this environment.`,
      required: 'a free name: otherwise clients of another Service would be moved.',
      next: 'declare another traffic.name; or, if it is left over from this environment, delete it and run `verdigris start`. Nothing was changed.',
    });
  }

  #metadata(live: Colour, token: number): ReturnType<typeof metadata> {
    const own = { [`${domain}/token`]: String(token), [`${domain}/live`]: live };
    return metadata(this.#environment, 'traffic', this.#name, {}, own);
  }
}

function selectorOf(cluster: string): Record<string, string> {
  return { 'cnpg.io/cluster': cluster, 'cnpg.io/instanceRole': 'primary' };
}
