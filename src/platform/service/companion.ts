import { refuseNewer, tokenAnnotation } from '../../manifests/token.ts';
import type { Kind, Manifest } from '../../manifests/manifest.ts';
import type { Cluster, Stored } from '../kubernetes/cluster.ts';
import { apiRefusal } from '../kubernetes/failures.ts';
import { kinds } from '../kubernetes/kinds.ts';
import { takenObject } from './taken.ts';
import type { Target } from './target.ts';

/** The Service that such an object belongs to: it goes with it. */
export type Owner = Pick<Stored['metadata'], 'name' | 'uid'>;

type Owned = Stored & { readonly metadata: { readonly ownerReferences?: Manifest['metadata']['ownerReferences'] } };

/**
 * An object beside the Service that says where clients are led. Changed by compare-and-swap, under a token that only
 * grows; it goes with the Service.
 */
export abstract class Companion<T extends Stored = Stored> {
  protected readonly api: Cluster;
  protected readonly service: string;
  readonly name: string;
  protected abstract readonly kind: Kind;
  protected readonly labels: Readonly<Record<string, string>> = {};

  constructor(api: Cluster, service: string) {
    this.api = api;
    this.service = service;
    this.name = `${service}-verdigris`;
  }

  get where(): string {
    return `the ${this.kind} ${this.api.namespace}/${this.name}`;
  }

  /** What it says besides its name. */
  protected abstract said(target: Target): Readonly<Record<string, unknown>>;

  /** Undefined where somebody deleted it. @throws VerdigrisError `stale-token`, `service-taken` */
  async read(token: number): Promise<T | undefined> {
    const found = await this.api.read<T & Owned>(this.kind, this.name);
    const owners = found?.metadata.ownerReferences ?? [];
    if (found && !owners.some(({ kind, name }) => kind === 'Service' && name === this.service))
      throw takenObject(this.where);
    refuseNewer(found?.metadata.annotations, token, this.where);
    return found;
  }

  /**
   * Makes it lead there. `found`: as it was read before the Service was changed, so that a newer operator's is not
   * written over. @throws VerdigrisError `object-conflict`
   */
  async lead(token: number, target: Target, owner: Owner, found: Stored | undefined): Promise<void> {
    const annotations = tokenAnnotation(token);
    const ownerReferences = [{ apiVersion: 'v1', kind: 'Service', name: owner.name, uid: owner.uid }];
    if (found) {
      const { metadata } = found;
      const kept = { ...metadata, ownerReferences, annotations: { ...metadata.annotations, ...annotations } };
      await this.api.replace({ ...found, ...this.said(target), metadata: kept } as Stored);
      return;
    }
    const made = await this.api.create({
      apiVersion: kinds[this.kind].version,
      kind: this.kind,
      metadata: { name: this.name, labels: this.labels, annotations, ownerReferences },
      ...this.said(target),
    });
    if (made) return;
    const asked = { verb: 'create', kind: this.kind, namespace: this.api.namespace, name: this.name } as const;
    throw apiRefusal(asked, 409, { message: 'it is there by now' });
  }

  /** Asks the API server whether a change would be taken; it writes nothing. */
  async rehearse(): Promise<void> {
    const found = await this.read(Infinity);
    if (found) await this.api.replace(found, { dryRun: true });
  }
}
