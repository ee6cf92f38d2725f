/** Kinds that Verdigris makes, reads or deletes. */
export type Kind =
  | 'Cluster'
  | 'ConfigMap'
  | 'CronJob'
  | 'DatabaseRole'
  | 'Deployment'
  | 'DestinationRule'
  | 'Endpoints'
  | 'EndpointSlice'
  | 'Event'
  | 'Job'
  | 'Lease'
  | 'Namespace'
  | 'NetworkPolicy'
  | 'Node'
  | 'PersistentVolumeClaim'
  | 'Pod'
  | 'PodDisruptionBudget'
  | 'Pooler'
  | 'PrometheusRule'
  | 'ResourceQuota'
  | 'Role'
  | 'RoleBinding'
  | 'Secret'
  | 'SelfSubjectRulesReview'
  | 'Service'
  | 'ServiceAccount'
  | 'ServiceEntry'
  | 'ServiceMonitor'
  | 'StatefulSet'
  | 'StorageClass'
  | 'Subscription'
  | 'VirtualService'
  | 'VolumeSnapshot'
  | 'VolumeSnapshotClass';

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** It goes with them. */
  readonly ownerReferences?: readonly Readonly<Record<'apiVersion' | 'kind' | 'name' | 'uid', string>>[];
}

/**
 * An object as the API server takes it. Builders are pure: the same arguments give the same object, so that a preview
 * is exact.
 */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: Kind;
  readonly metadata: Metadata;
  readonly [field: string]: unknown;
}
