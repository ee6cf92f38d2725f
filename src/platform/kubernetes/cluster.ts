import { isDeepStrictEqual } from 'node:util';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Kind, Manifest } from '../../manifests/manifest.ts';
import { apiRefusal, unreachable, type Asked } from './failures.ts';
import { NoAnswer, patiently, Transport, type Answer } from './http.ts';
import { kinds, apiPath } from './kinds.ts';
import { loadConfig, type ClusterAccess } from './kubeconfig.ts';

/** An object as it was read. `resourceVersion` is what makes a write of it a compare-and-swap. */
export interface Stored {
  readonly apiVersion: string;
  readonly kind: Kind;
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly uid: string;
    readonly creationTimestamp: string;
    readonly generation?: number;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
  };
}

/** Owner of the fields that are applied. Distinct from Pulumi's and Argo's, so that a conflict shows. */
const fieldManager = 'verdigris';

/**
 * The objects of one namespace. A 404 is undefined where reading and nothing where deleting; everything else that is
 * refused is thrown.
 */
export class Cluster {
  readonly namespace: string;
  readonly config: KubeConfig;
  /** Whether this process runs in the cluster, and so reaches its addresses. */
  readonly inside: boolean;
  readonly #transport: Transport;
  /** Whoever waits here is told what for. */
  #tell: (text: string) => void = () => undefined;
  /** Milliseconds that an API server which is away has to come back. */
  #patience = 0;
  /** What is laid over every object that is made here. */
  #overlay: (manifest: Manifest) => Manifest = (manifest) => manifest;

  private constructor(config: KubeConfig, namespace: string, inside: boolean) {
    this.config = config;
    this.namespace = namespace;
    this.inside = inside;
    this.#transport = new Transport(config);
  }

  static open(namespace: string, access: ClusterAccess = {}): Cluster {
    const { config, inside } = loadConfig(access);
    return new Cluster(config, namespace, inside);
  }

  /** From now on every object that is applied or created is made so. */
  overlay(how: (manifest: Manifest) => Manifest): void {
    this.#overlay = how;
  }

  /** From now on `how` is told what long waits are for. */
  listen(how: (text: string) => void): void {
    this.#tell = how;
  }

  /** From now on an API server that is away has so many milliseconds to come back. */
  endure(ms: number): void {
    this.#patience = ms;
  }

  tell(text: string): void {
    this.#tell(text);
  }

  /** The same namespace by connections of its own. */
  again(): Cluster {
    return new Cluster(this.config, this.namespace, this.inside);
  }

  /** By a configuration of the caller's own, from outside. */
  static of(config: KubeConfig, namespace: string): Cluster {
    return new Cluster(config, namespace, false);
  }

  async read<T extends Stored>(kind: Kind, name: string): Promise<T | undefined> {
    const answer = await this.#send('read', kind, name, 'GET', apiPath(kind, this.namespace, name));
    return answer.status === 404
      ? undefined
      : this.#expect<T>(answer, { verb: 'read', kind, namespace: this.namespace, name });
  }

  list<T extends Stored>(kind: Kind, labels: Readonly<Record<string, string>>): Promise<T[]> {
    return this.#list<T>(kind, labels, apiPath(kind, this.namespace));
  }

  /** Of all namespaces. */
  listEverywhere<T extends Stored>(kind: Kind, labels: Readonly<Record<string, string>>): Promise<T[]> {
    return this.#list<T>(kind, labels, apiPath(kind));
  }

  async #list<T extends Stored>(kind: Kind, labels: Readonly<Record<string, string>>, path: string): Promise<T[]> {
    const selector = Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(',');
    const answer = await this.#send(
      'list',
      kind,
      undefined,
      'GET',
      `${path}?labelSelector=${encodeURIComponent(selector)}`,
    );
    // A kind that the cluster does not have has no objects.
    if (answer.status === 404) return [];
    return this.#expect<{ items: T[] }>(answer, { verb: 'list', kind, namespace: this.namespace }).items;
  }

  /** Of one object. */
  async events<T extends Stored>(kind: Kind, name: string): Promise<T[]> {
    const selector = encodeURIComponent(`involvedObject.kind=${kind},involvedObject.name=${name}`);
    const path = `${apiPath('Event', this.namespace)}?fieldSelector=${selector}`;
    const answer = await this.#send('list', 'Event', undefined, 'GET', path);
    return this.#expect<{ items: T[] }>(answer, { verb: 'list', kind: 'Event', namespace: this.namespace }).items;
  }

  /** Whether the cluster has this kind at all. */
  async knows(kind: Kind): Promise<boolean> {
    const { version, plural } = kinds[kind];
    const answer = await this.#send(
      'look for',
      kind,
      undefined,
      'GET',
      version.includes('/') ? `/apis/${version}` : `/api/${version}`,
    );
    if (answer.status === 404) return false;
    return (
      this.#expect<{ resources?: readonly { readonly name: string }[] }>(answer, {
        verb: 'look for',
        kind,
        namespace: this.namespace,
      }).resources?.some(({ name }) => name === plural) ?? false
    );
  }

  /** Server-side apply: makes the object or gives it just these fields. */
  async apply<T extends Stored>(manifest: Manifest): Promise<T> {
    const {
      kind,
      metadata: { name },
    } = manifest;
    const answer = await this.#send(
      'apply',
      kind,
      name,
      'PATCH',
      `${apiPath(kind, this.namespace, name)}?fieldManager=${fieldManager}&force=true`,
      this.#overlay(manifest),
      'application/apply-patch+yaml',
    );
    return this.#expect<T>(answer, { verb: 'apply', kind, namespace: this.namespace, name });
  }

  /**
   * Undefined where an object of this name exists already. With `dryRun` everybody who may refuse is asked, quotas and
   * webhooks too, and nothing is written.
   */
  async create<T extends Stored>(manifest: Manifest, { dryRun = false } = {}): Promise<T | undefined> {
    const {
      kind,
      metadata: { name },
    } = manifest;
    const answer = await this.#send(
      'create',
      kind,
      name,
      'POST',
      `${apiPath(kind, this.namespace)}?fieldManager=${fieldManager}${dryRun ? '&dryRun=All' : ''}`,
      this.#overlay(manifest),
    );
    return answer.status === 409
      ? undefined
      : this.#expect<T>(answer, { verb: 'create', kind, namespace: this.namespace, name });
  }

  /**
   * Compare-and-swap by the resourceVersion in `object`; throws `object-conflict` (busy) where it was changed since.
   * With `dryRun` everybody who may refuse is asked, webhooks too, and nothing is written.
   */
  async replace<T extends Stored>(object: Stored, { dryRun = false } = {}): Promise<T> {
    const {
      kind,
      metadata: { name },
    } = object;
    const send = (): Promise<Answer> =>
      this.#send(
        'replace',
        kind,
        name,
        'PUT',
        `${apiPath(kind, this.namespace, name)}?fieldManager=${fieldManager}${dryRun ? '&dryRun=All' : ''}`,
        { ...object, apiVersion: kinds[kind].version, kind },
      );
    const answer = await send().catch(async (error: unknown) => {
      // An answer that was lost says nothing about the write: the object says whether it was made.
      const found = await this.read<T>(kind, name).catch(() => undefined);
      if (!dryRun && found && isAsWritten(found, object)) return { status: 200, body: found };
      if (found?.metadata.resourceVersion !== object.metadata.resourceVersion) throw error;
      return send();
    });
    return this.#expect<T>(answer, { verb: 'replace', kind, namespace: this.namespace, name });
  }

  async merge<T extends Stored>(kind: Kind, name: string, patch: unknown): Promise<T> {
    const answer = await this.#send(
      'patch',
      kind,
      name,
      'PATCH',
      `${apiPath(kind, this.namespace, name)}?fieldManager=${fieldManager}`,
      patch,
      'application/merge-patch+json',
    );
    return this.#expect<T>(answer, { verb: 'patch', kind, namespace: this.namespace, name });
  }

  /** Asks for the deletion; what holds the object may keep it for a while. */
  async delete(kind: Kind, name: string, options: { readonly grace?: number } = {}): Promise<void> {
    const body = {
      propagationPolicy: 'Background',
      ...(options.grace === undefined ? {} : { gracePeriodSeconds: options.grace }),
    };
    const answer = await this.#send('delete', kind, name, 'DELETE', apiPath(kind, this.namespace, name), body);
    if (answer.status !== 404) this.#expect(answer, { verb: 'delete', kind, namespace: this.namespace, name });
  }

  close(): void {
    this.#transport.close();
  }

  async #send(
    verb: string,
    kind: Kind,
    name: string | undefined,
    method: string,
    path: string,
    body?: unknown,
    contentType?: string,
  ): Promise<Answer> {
    try {
      return await patiently(method, this.#patience, () => this.#transport.send(method, path, body, contentType));
    } catch (error) {
      throw unreachable(
        { verb, kind, namespace: this.namespace, name },
        error instanceof NoAnswer ? error.cause : error,
      );
    }
  }

  #expect<T>({ status, body }: Answer, asked: Asked): T {
    if (status >= 200 && status < 300)
      return { kind: asked.kind, apiVersion: kinds[asked.kind].version, ...(body as object) } as T;
    throw apiRefusal(asked, status, body);
  }
}

/** Of this content by now; what the API server keeps beside it changes with every write. */
function isAsWritten(found: Stored, written: Stored): boolean {
  const content = ({ metadata: { labels = {}, annotations = {} }, ...rest }: Stored): object => ({
    ...rest,
    apiVersion: undefined,
    status: undefined,
    labels,
    annotations,
  });
  return found.metadata.uid === written.metadata.uid && isDeepStrictEqual(content(found), content(written));
}
