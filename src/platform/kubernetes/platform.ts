import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { authorityFile } from '../../manifests/certificates.ts';
import { overlaid } from '../../manifests/overlay.ts';
import { requireFittingPatches } from '../../manifests/fitting.ts';
import type { Trace } from '../../model/birth.ts';
import { readerSecret } from '../../manifests/secrets.ts';
import type { Environment } from '../../model/environment.ts';
import type { Emit } from '../../model/events.ts';
import type { Finding } from '../../model/finding.ts';
import { tokenIn } from '../../model/journal-text.ts';
import { defaultHome } from '../home.ts';
import type { Behind, Platform } from '../port/platform.ts';
import { tryAll } from '../trial.ts';
import { AdoptedServer } from './adopted.ts';
import { BirthLabels } from './birth.ts';
import { Cluster } from './cluster.ts';
import { Creation } from './creation.ts';
import { KubernetesCredentials } from './credentials.ts';
import { KubernetesDrills } from './drills.ts';
import { annotatedApproval } from './approval.ts';
import { changeConfig } from './config.ts';
import { askGuards } from './guards.ts';
import { KubernetesHistory } from './history.ts';
import { runDeclaredJob } from './jobs.ts';
import { KubernetesJournal } from './journal.ts';
import type { ClusterAccess } from './kubeconfig.ts';
import { KubernetesLeases } from './leases.ts';
import type { KubernetesParts } from './parts.ts';
import { poolerFindings } from './pooler-findings.ts';
import { readerPasswords } from './own-credentials.ts';
import { Poolers } from './poolers.ts';
import { Reach } from './reach.ts';
import { requirements, type ClusterPurpose } from './requirements.ts';
import { snapshotFindings } from './snapshot-findings.ts';
import { Routes } from './routes.ts';
import { Secrets } from './secrets.ts';
import { KubernetesServers } from './servers.ts';
import { KubernetesTraffic } from './traffic.ts';
import { behindCommit, type TriedBy } from './trials.ts';
import { Trust } from './trust.ts';

/** An environment in a namespace of a cluster. Opening it asks the cluster nothing. */
export class KubernetesPlatform implements KubernetesParts {
  readonly kind = 'kubernetes';
  readonly environment: string;
  readonly cluster: Cluster;
  readonly secrets: Secrets;
  readonly trust: Trust;
  readonly adoption: AdoptedServer;
  readonly servers: KubernetesServers;
  readonly traffic: KubernetesTraffic;
  readonly routes: Routes;
  readonly poolers: Poolers;
  readonly journal: KubernetesJournal;
  readonly leases: KubernetesLeases;
  readonly history: KubernetesHistory;
  readonly drills: KubernetesDrills;
  readonly credentials: KubernetesCredentials;
  readonly lifecycle: Platform['lifecycle'];
  readonly runJob: NonNullable<Platform['runJob']>;
  readonly changeConfig: NonNullable<Platform['changeConfig']>;
  readonly annotatedApproval: NonNullable<Platform['annotatedApproval']>;
  readonly reach: Reach;
  readonly creation: Creation;

  readonly #birth: BirthLabels;
  /** The poolers as who only looks may see them. */
  readonly #shown: Poolers;
  readonly #environment: Environment;
  readonly #options: { readonly guard: boolean; readonly authority: string };

  /**
   * `guard`: gives the lease up to whoever else asks for it. `authority`: where a pod has the authority's certificate
   * as a file, because its Role may not read the Secret, which holds the servers' key.
   */
  constructor(environment: Environment, cluster: Cluster, { guard = false, authority = authorityFile } = {}) {
    this.#environment = environment;
    this.#options = { guard, authority };
    this.environment = environment.name;
    this.cluster = cluster;
    cluster.overlay((manifest) => overlaid(environment, manifest));
    this.secrets = new Secrets(cluster, environment);
    this.adoption = new AdoptedServer(environment, cluster);
    this.reach = new Reach(cluster);
    this.creation = new Creation(cluster, environment);
    this.#birth = new BirthLabels(cluster, environment);
    this.trust = new Trust(cluster, environment, authority);
    this.servers = new KubernetesServers(environment, cluster, this.secrets, this.reach, this.adoption, this.trust);
    this.poolers = new Poolers(environment, cluster, this.secrets, this.reach, this.trust);
    this.routes = new Routes(environment, cluster, this.adoption);
    this.#shown = new Poolers(environment, cluster, this.secrets, this.reach, this.trust, 'reader');
    this.traffic = new KubernetesTraffic(environment, cluster, this.poolers, this.routes, this.#shown);
    this.journal = new KubernetesJournal(cluster, environment);
    const floor = async () => tokenIn((await this.journal.read())?.text);
    this.leases = new KubernetesLeases(cluster, environment, floor, guard);
    this.history = new KubernetesHistory(cluster, environment);
    this.drills = new KubernetesDrills(cluster, environment);
    this.credentials = new KubernetesCredentials(environment, cluster, this.secrets, this.poolers);
    this.runJob = (...asked) => runDeclaredJob(cluster, environment, ...asked);
    this.changeConfig = (...asked) => changeConfig(cluster, ...asked);
    this.annotatedApproval = () => annotatedApproval(cluster, environment.name);
    // Loaded only where it is asked for: it is about platforms itself, and most commands neither make nor remove one.
    this.lifecycle = {
      create: async (options) => ({
        ...(await (await import('./lifecycle/create.ts')).createKubernetes(environment, this, options)),
        credentials: {},
      }),
      clone: async (of, signal) => (await import('./lifecycle/clone.ts')).cloneKubernetes(of, this, signal),
      destroy: async (live) => {
        const { destroyKubernetes } = await import('./lifecycle/destroy.ts');
        return (await destroyKubernetes(environment, this, live)).map(({ name }) => `VolumeSnapshot ${name}`);
      },
    };
  }

  /** What long waits are for is emitted as notes. */
  listen(emit: Emit): void {
    this.cluster.listen((text) => emit({ type: 'note', text }));
  }

  remains(): Promise<Trace[]> {
    return this.#birth.traces();
  }

  certify(uid: string): Promise<void> {
    return this.#birth.write(uid);
  }

  async findings(seeding: boolean): Promise<Finding[]> {
    return [
      ...(seeding ? await this.requirements('release') : []),
      ...(seeding ? await snapshotFindings(this.#environment, this.cluster, this.servers) : []),
      ...(await poolerFindings(this.cluster, this.environment)),
    ];
  }

  async unusable(behind: Behind): Promise<Finding[]> {
    await this.poolers.settled();
    const [own, guards] = await Promise.all([
      this.unusableBy('operator', behind),
      askGuards(this.cluster, this.#environment, this.poolers),
    ]);
    return [...own, ...guards];
  }

  /** By connections of its own, and with the Secrets of now. */
  async unusableBy(by: TriedBy, behind: Behind): Promise<Finding[]> {
    const fresh = this.sibling(this.#environment);
    try {
      return await tryAll(await behindCommit(this.#environment, fresh, behind, by));
    } finally {
      await fresh.close();
    }
  }

  /** What was read before the lease was had may be another by now. */
  tidy(): Promise<void> {
    this.secrets.forget();
    return Promise.resolve();
  }

  sibling(environment: Environment): KubernetesPlatform {
    return new KubernetesPlatform(environment, this.cluster.again(), this.#options);
  }

  async keepReader(reader: string): Promise<string> {
    const { console } = await readerPasswords(this.secrets);
    const secret = readerSecret(this.#environment, { reader, console });
    await this.cluster.apply(secret);
    return `the Secret ${this.cluster.namespace}/${secret.metadata.name}`;
  }

  /** What the cluster itself lacks. */
  requirements(purpose: ClusterPurpose): Promise<Finding[]> {
    return requirements(this.#environment, this.cluster, this.servers, purpose);
  }

  /** Beside the operator, since a cluster has no folders. */
  async exportFile(name: string): Promise<string> {
    const folder = path.join(defaultHome(), this.cluster.namespace, this.environment, 'exports');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return path.join(folder, name);
  }

  async close(): Promise<void> {
    await this.traffic.close();
    await this.poolers.close();
    await this.#shown.close();
    await this.reach.close();
    this.cluster.close();
  }
}

/**
 * The platform of a declaration whose `platform` is `kubernetes`. Close it when done, or its connections keep the
 * process.
 */
export function openKubernetes(environment: Environment, access: ClusterAccess = {}): KubernetesPlatform {
  const { namespace, context = access.context } = environment.kubernetes;
  requireFittingPatches(environment);
  return new KubernetesPlatform(environment, Cluster.open(namespace, { ...access, context }));
}
