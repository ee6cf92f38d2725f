import type { Manifest } from './manifest.ts';
import type { Environment } from '../model/environment.ts';
import { metadata, objectNames, type Component, type Named } from './names.ts';

export interface RbacRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  /** Only of objects with these names. No rule of `list` or `create` can be bound so. */
  readonly resourceNames?: readonly string[];
}

/** Why a pod or a claim does not come. Whoever may not read it waits without being told. */
export const eventReading: RbacRule = { apiGroups: [''], resources: ['events'], verbs: ['list'] };

/** Asking by a dry run whether a pod would be taken. Whoever may not finds out when its controller makes it. */
export const podTrying: RbacRule = { apiGroups: [''], resources: ['pods'], verbs: ['create'] };

const all = ['get', 'list', 'create', 'update', 'patch', 'delete'] as const;

/** What a colour and the clients' path to it are made of. */
const candidateRules: readonly RbacRule[] = [
  { apiGroups: ['apps'], resources: ['statefulsets', 'deployments'], verbs: all },
  { apiGroups: ['batch'], resources: ['jobs'], verbs: all },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: all },
  { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: all },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: all },
  { apiGroups: ['snapshot.storage.k8s.io'], resources: ['volumesnapshots'], verbs: all },
  { apiGroups: ['networking.istio.io'], resources: ['virtualservices', 'destinationrules'], verbs: all },
];

/**
 * All that the operator does in the environment's namespace, and no more; docs/kubernetes.md lists it, and the cluster
 * tests run with it.
 */
export const operatorRules: readonly RbacRule[] = [
  { apiGroups: [''], resources: ['configmaps', 'secrets', 'services', 'persistentvolumeclaims'], verbs: all },
  { apiGroups: [''], resources: ['namespaces'], verbs: ['get'] },
  { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'delete'] },
  { apiGroups: [''], resources: ['pods/portforward'], verbs: ['get', 'create'] },
  ...candidateRules,
  { apiGroups: ['batch'], resources: ['cronjobs'], verbs: all },
  { apiGroups: [''], resources: ['events'], verbs: ['create'] },
  eventReading,
  podTrying,
  { apiGroups: ['monitoring.coreos.com'], resources: ['servicemonitors', 'prometheusrules'], verbs: all },
  { apiGroups: [''], resources: ['resourcequotas'], verbs: all },
  // Making the roles of guard, drill and metrics: nobody can grant by it what he does not have himself.
  { apiGroups: [''], resources: ['serviceaccounts'], verbs: all },
  { apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'], verbs: all },
];

/**
 * What letting clients go takes: settling a switchover that was cut short, and answering what is asked of a guard.
 * Nothing is made, no server, volume or job removed, and but for what only a list can find, each object is named.
 */
export function guardRules(environment: Environment): RbacRule[] {
  const {
    name,
    roles,
    kubernetes: { istio, adopt },
  } = environment;
  const core = { apiGroups: [''] };
  const routes = [objectNames.writes(name), objectNames.reads(name)];
  const servers = [objectNames.colour(name, 'blue'), objectNames.colour(name, 'green')];
  return [
    {
      ...core,
      resources: ['configmaps'],
      verbs: ['get', 'update'],
      resourceNames: [objectNames.journal(name), objectNames.adopted(name)],
    },
    { ...core, resources: ['configmaps'], verbs: ['get', 'patch'], resourceNames: [objectNames.guard(name)] },
    {
      ...core,
      resources: ['secrets'],
      verbs: ['get'],
      resourceNames: [
        objectNames.operatorSecret(name),
        ...[...roles.application, ...roles.readers].map((role) => objectNames.roleSecret(name, role)),
      ],
    },
    {
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
      verbs: ['get', 'update'],
      resourceNames: [objectNames.lease(name)],
    },
    { ...core, resources: ['pods'], verbs: ['get', 'list'] },
    { ...core, resources: ['services'], verbs: ['list'] },
    {
      ...core,
      resources: ['services'],
      verbs: ['get', 'update'],
      resourceNames: [...routes, ...(adopt?.service ? [adopt.service.name] : [])],
    },
    ...(istio
      ? [
          {
            apiGroups: ['networking.istio.io'],
            resources: ['virtualservices'],
            verbs: ['get', 'update'],
            resourceNames: routes,
          },
        ]
      : []),
    // A live colour that is down is started before its fence is undone.
    {
      apiGroups: ['apps'],
      resources: ['statefulsets'],
      verbs: ['get', 'patch'],
      resourceNames: [...servers, ...(adopt ? [adopt.statefulSet] : [])],
    },
    // A switchover that is undone takes its own snapshot with it.
    { apiGroups: ['snapshot.storage.k8s.io'], resources: ['volumesnapshots'], verbs: ['get', 'list', 'delete'] },
  ];
}

/**
 * A drill makes and removes a candidate, and a throw-away environment beside it, of a name that is drawn then; it grants
 * nothing. Its Secrets are not named: who may make pods may mount any Secret of the namespace anyway.
 */
export const drillRules: readonly RbacRule[] = [
  { apiGroups: [''], resources: ['configmaps', 'secrets', 'services', 'persistentvolumeclaims'], verbs: all },
  { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'delete'] },
  { apiGroups: [''], resources: ['events'], verbs: ['create'] },
  { apiGroups: ['batch'], resources: ['cronjobs'], verbs: ['get', 'list'] },
  ...candidateRules,
];

/** Looking, without any password. */
export const lookRules: readonly RbacRule[] = [
  { apiGroups: [''], resources: ['configmaps', 'services', 'pods'], verbs: ['get', 'list'] },
  { apiGroups: ['apps'], resources: ['statefulsets'], verbs: ['get', 'list'] },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get'] },
];

/**
 * One Secret besides: lag is asked of the servers, and who is held of the poolers' consoles. Who signed the servers'
 * certificate is a mounted file: the Secret that has it has the servers' key too.
 */
export function metricsRules({ name }: Pick<Named, 'name'>): RbacRule[] {
  const resourceNames = [objectNames.readerSecret(name)];
  return [...lookRules, { apiGroups: [''], resources: ['secrets'], verbs: ['get'], resourceNames }];
}

/** A Role with these rules, bound to a service account of the same name. */
export function serviceRole(
  environment: Named,
  name: string,
  rules: readonly RbacRule[],
  component: Component = 'pooler',
): Manifest[] {
  const own = metadata(environment, component, name);
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: own },
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: own, rules },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: own,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace: environment.kubernetes.namespace }],
    },
  ];
}
