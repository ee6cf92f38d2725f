import type { Kind } from '../../manifests/manifest.ts';

/** Where the API server keeps each kind; cluster-scoped ones say so. */
export const kinds: Readonly<
  Record<Kind, { readonly version: string; readonly plural: string; readonly cluster?: true }>
> = {
  // CloudNativePG's.
  Cluster: { version: 'postgresql.cnpg.io/v1', plural: 'clusters' },
  ConfigMap: { version: 'v1', plural: 'configmaps' },
  CronJob: { version: 'batch/v1', plural: 'cronjobs' },
  DatabaseRole: { version: 'postgresql.cnpg.io/v1', plural: 'databaseroles' },
  Deployment: { version: 'apps/v1', plural: 'deployments' },
  DestinationRule: { version: 'networking.istio.io/v1', plural: 'destinationrules' },
  Endpoints: { version: 'v1', plural: 'endpoints' },
  EndpointSlice: { version: 'discovery.k8s.io/v1', plural: 'endpointslices' },
  Event: { version: 'v1', plural: 'events' },
  Job: { version: 'batch/v1', plural: 'jobs' },
  Lease: { version: 'coordination.k8s.io/v1', plural: 'leases' },
  Namespace: { version: 'v1', plural: 'namespaces', cluster: true },
  NetworkPolicy: { version: 'networking.k8s.io/v1', plural: 'networkpolicies' },
  Node: { version: 'v1', plural: 'nodes', cluster: true },
  PersistentVolumeClaim: { version: 'v1', plural: 'persistentvolumeclaims' },
  Pod: { version: 'v1', plural: 'pods' },
  PodDisruptionBudget: { version: 'policy/v1', plural: 'poddisruptionbudgets' },
  Pooler: { version: 'postgresql.cnpg.io/v1', plural: 'poolers' },
  PrometheusRule: { version: 'monitoring.coreos.com/v1', plural: 'prometheusrules' },
  ResourceQuota: { version: 'v1', plural: 'resourcequotas' },
  Role: { version: 'rbac.authorization.k8s.io/v1', plural: 'roles' },
  RoleBinding: { version: 'rbac.authorization.k8s.io/v1', plural: 'rolebindings' },
  Secret: { version: 'v1', plural: 'secrets' },
  SelfSubjectRulesReview: { version: 'authorization.k8s.io/v1', plural: 'selfsubjectrulesreviews', cluster: true },
  Service: { version: 'v1', plural: 'services' },
  ServiceAccount: { version: 'v1', plural: 'serviceaccounts' },
  ServiceEntry: { version: 'networking.istio.io/v1', plural: 'serviceentries' },
  ServiceMonitor: { version: 'monitoring.coreos.com/v1', plural: 'servicemonitors' },
  StatefulSet: { version: 'apps/v1', plural: 'statefulsets' },
  StorageClass: { version: 'storage.k8s.io/v1', plural: 'storageclasses', cluster: true },
  Subscription: { version: 'postgresql.cnpg.io/v1', plural: 'subscriptions' },
  VirtualService: { version: 'networking.istio.io/v1', plural: 'virtualservices' },
  VolumeSnapshot: { version: 'snapshot.storage.k8s.io/v1', plural: 'volumesnapshots' },
  VolumeSnapshotClass: { version: 'snapshot.storage.k8s.io/v1', plural: 'volumesnapshotclasses', cluster: true },
};

/** Path of a collection, or of one object in it; without a namespace, of the collections of all. */
export function apiPath(kind: Kind, namespace?: string, name?: string): string {
  const { version, plural, cluster } = kinds[kind];
  const root = version.includes('/') ? `/apis/${version}` : `/api/${version}`;
  const within = cluster || namespace === undefined ? '' : `/namespaces/${namespace}`;
  const object = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  return `${root}${within}/${plural}${object}`;
}
