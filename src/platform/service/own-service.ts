import { domain, metadata } from '../../manifests/names.ts';
import type { Environment } from '../../model/environment.ts';
import type { Colour } from '../../model/colours.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { refuseNewer, tokenAnnotation } from '../../manifests/token.ts';
import { omit } from '../../model/omit.ts';
import type { Cluster, Stored } from '../kubernetes/cluster.ts';
import type { Companion, Owner } from './companion.ts';
import { MeshEntry } from './entry.ts';
import { portName, Slice } from './slice.ts';
import { takenObject } from './taken.ts';
import { familyOf, primarySelector, servicePort, type Family, type Target } from './target.ts';

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

interface Observed {
  readonly target: Target | undefined;
  readonly others: readonly string[];
  readonly host: string | undefined;
}

/** What is read for a change, while nobody waits. */
interface Read {
  readonly service: ServiceObject;
  /** By companion, in their order. */
  readonly beside: readonly (Stored | undefined)[];
}

/** The Service by which clients come: which primary it selects, or which address it has, under a token that only grows. */
export class OwnService {
  readonly #environment: Environment;
  readonly #api: Cluster;
  readonly #name: string;
  readonly #uid: UidStore;
  readonly #family: Family | undefined;
  /** Only where it may lead to an address outside. */
  readonly #slice: Slice | undefined;
  /** All that says where clients are led, besides the Service itself. */
  readonly #beside: readonly Companion[];
  /** Whether it may also select pods. */
  readonly #selects: boolean;
  /** As it was read beforehand. */
  #known: Read | undefined;

  /** `targets`: all to which it may lead. */
  constructor(environment: Environment, api: Cluster, uid: UidStore, targets: readonly Target[]) {
    this.#environment = environment;
    this.#api = api;
    this.#name = environment.traffic?.name ?? environment.name;
    this.#uid = uid;
    this.#family = familyOf(targets);
    this.#slice = this.#family && new Slice(api, this.#name, this.#family);
    const entry = environment.traffic?.serviceEntry;
    this.#beside = [this.#slice, entry && new MeshEntry(api, this.#name, entry)].filter((each) => each !== undefined);
    this.#selects = targets.some((target) => 'cluster' in target);
  }

  get where(): string {
    return `${this.#api.namespace}/${this.#name}`;
  }

  /** The name by which pods of the cluster reach it; undefined outside of it. */
  get nameInside(): string | undefined {
    return this.#api.inside ? `${this.#name}.${this.#api.namespace}.svc` : undefined;
  }

  /** Makes it, for the colour that is live. @throws VerdigrisError `service-taken`, and nothing is left of it. */
  async create(live: Colour, target: Target): Promise<void> {
    const { labels, annotations } = this.#metadata(live, 0);
    await this.#readBeside(Infinity);
    const made = await this.#api.create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: this.#name, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) },
      spec: {
        ...primarySelector(target),
        ...(this.#family === 'IPv6' ? { ipFamilies: [this.#family] } : {}),
        ports: [{ name: portName, port: servicePort, targetPort: servicePort }],
      },
    });
    if (!made) throw this.#taken();
    await this.#uid.write(made.metadata.uid);
    try {
      await this.#lead(0, target, made.metadata, await this.#readBeside(Infinity));
    } catch (error) {
      await this.remove();
      throw error;
    }
  }

  /** The very one that was made, and none that took its name. */
  async remove(): Promise<void> {
    const found = await this.#api.read<ServiceObject>('Service', this.#name);
    if (found && found.metadata.uid === (await this.#uid.read())) await this.#api.delete('Service', this.#name);
  }

  /** Asks the API server whether a change would be taken; it writes nothing. */
  async rehearse(): Promise<void> {
    const { service } = await this.#read(Infinity);
    await this.#api.replace(service, { dryRun: true });
    for (const each of this.#beside) await each.rehearse();
  }

  /**
   * Where it leads, undefined where that is to more than one; which slices of others lead its clients; and where it is
   * reached. Undefined where it is gone.
   */
  async observe(): Promise<Observed | undefined> {
    const found = await this.#api.read<ServiceObject>('Service', this.#name);
    if (!found) return undefined;
    const others = await this.#others(found);
    const target = others.length === 0 ? await this.#targetOf(found) : undefined;
    return { target, others, host: found.spec.clusterIP };
  }

  async #targetOf({ spec: { selector } }: ServiceObject): Promise<Target | undefined> {
    const cluster = selector?.['cnpg.io/cluster'];
    const outside = await this.#slice?.target();
    if (cluster !== undefined) return outside ? undefined : { cluster };
    return selector === undefined ? outside : undefined;
  }

  /** Whoever may write EndpointSlices can add one beside ours: some of the clients go there then. */
  async #others({ spec: { selector } }: ServiceObject): Promise<string[]> {
    return (await this.#slice?.others(selector !== undefined)) ?? [];
  }

  /**
   * Reads it for the change to come.
   * @throws VerdigrisError `service-gone`, `service-taken`, `service-shared` where slices of others lead its clients too,
   * or `stale-token` where a newer operator is at work.
   */
  async prepare(token: number): Promise<void> {
    const known = await this.#read(token);
    const others = await this.#others(known.service);
    if (others.length > 0) throw this.#shared(others);
    this.#known = known;
  }

  /**
   * One compare-and-swap of each object that says where it leads: the Service's selector, the slice of addresses
   * outside, and Istio's entry.
   */
  async select(token: number, live: Colour, target: Target): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const { service, beside } = this.#known ?? (await this.#read(token));
      this.#known = undefined;
      try {
        await this.#api.replace(this.#leading(service, token, live, target));
        await this.#lead(token, target, service.metadata, beside);
        if (this.#selects && !('cluster' in target)) await this.#slice?.withoutOthers();
        return;
      } catch (error) {
        if (!(error instanceof VerdigrisError && error.id === 'object-conflict') || attempt >= attempts) throw error;
      }
    }
  }

  #leading(service: ServiceObject, token: number, live: Colour, target: Target): Stored {
    const { metadata, spec } = service;
    const { annotations } = this.#metadata(live, token);
    return {
      ...service,
      metadata: { ...metadata, annotations: { ...metadata.annotations, ...annotations } },
      spec: { ...omit(spec, 'selector'), ...primarySelector(target) },
    } as Stored;
  }

  async #read(token: number): Promise<Read> {
    const found = await this.#api.read<ServiceObject>('Service', this.#name);
    if (!found)
      throw new VerdigrisError('service-gone', {
        seen: `The Service ${this.where} is gone: clients cannot connect.`,
        required: 'the Service by which clients come.',
        next: 'run `verdigris start`, which makes it again; then run the same command again.',
      });
    if (found.metadata.uid !== (await this.#uid.read())) throw this.#taken();
    refuseNewer(found.metadata.annotations, token, `the Service ${this.where}`);
    return { service: found, beside: await this.#readBeside(token) };
  }

  #readBeside(token: number): Promise<(Stored | undefined)[]> {
    return Promise.all(this.#beside.map((each) => each.read(token)));
  }

  async #lead(token: number, target: Target, owner: Owner, found: Read['beside']): Promise<void> {
    for (const [index, each] of this.#beside.entries()) await each.lead(token, target, owner, found[index]);
  }

  #shared(others: readonly string[]): VerdigrisError {
    return new VerdigrisError('service-shared', {
      seen: `Beside Verdigris, others lead clients of the Service ${this.where}: EndpointSlice ${others.join(', ')}.`,
      required: 'a Service whose clients all come to the live server.',
      next:
        'find out who made them, and with which right; delete them (one that Kubernetes mirrors goes with the Endpoints ' +
        'of this name); then run the same command again.',
    });
  }

  #taken(): VerdigrisError {
    return takenObject(`the Service ${this.where}`);
  }

  #metadata(live: Colour, token: number): ReturnType<typeof metadata> {
    const own = { ...tokenAnnotation(token), [`${domain}/live`]: live };
    return metadata(this.#environment, 'traffic', this.#name, {}, own);
  }
}
