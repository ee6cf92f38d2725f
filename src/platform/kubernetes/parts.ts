import type { Environment } from '../../model/environment.ts';
import type { Emit } from '../../model/events.ts';
import type { Finding } from '../../model/finding.ts';
import type { Platform } from '../port/platform.ts';
import type { AdoptedServer } from './adopted.ts';
import type { Cluster } from './cluster.ts';
import type { Creation } from './creation.ts';
import type { KubernetesCredentials } from './credentials.ts';
import type { Poolers } from './poolers.ts';
import type { Reach } from './reach.ts';
import type { ClusterPurpose } from './requirements.ts';
import type { Routes } from './routes.ts';
import type { Secrets } from './secrets.ts';
import type { KubernetesServers } from './servers.ts';

/** What an environment in a cluster is made of: by it its lifecycle works, which the platform itself leads to. */
export interface KubernetesParts extends Platform {
  readonly cluster: Cluster;
  readonly secrets: Secrets;
  readonly adoption: AdoptedServer;
  readonly servers: KubernetesServers;
  readonly routes: Routes;
  readonly poolers: Poolers;
  readonly credentials: KubernetesCredentials;
  readonly reach: Reach;
  readonly creation: Creation;
  listen(emit: Emit): void;
  certify(uid: string): Promise<void>;
  close(): Promise<void>;
  /** What the cluster itself lacks. */
  requirements(purpose: ClusterPurpose): Promise<Finding[]>;
  /** Another environment of the same namespace, by connections of its own. Close it when done. */
  sibling(environment: Environment): KubernetesParts;
}
