import { adoptedSelector } from './adopted.ts';
import type { Manifest } from './manifest.ts';
import { metricsPort } from './metrics.ts';
import { metadata, selectorLabels, type Component, type Named } from './names.ts';

/** Labels of a namespace or pod that may come in as a client. */
export const clientLabel = { 'verdigris.dev/client': 'true' } as const;

/** Label of a pod that the operator runs in. */
export const operatorLabel = { 'verdigris.dev/operator': 'true' } as const;

const everyNamespace = { namespaceSelector: {} };

/**
 * Names to addresses: the resolvers of Kubernetes, of a node (NodeLocal DNSCache, at its fixed address) and of
 * OpenShift, whose pods listen on 5353.
 */
const dns = {
  to: [
    {
      ...everyNamespace,
      podSelector: {
        matchExpressions: [{ key: 'k8s-app', operator: 'In', values: ['kube-dns', 'coredns', 'node-local-dns'] }],
      },
    },
    { ...everyNamespace, podSelector: { matchLabels: { 'dns.operator.openshift.io/daemonset-dns': 'default' } } },
    { ipBlock: { cidr: '169.254.20.10/32' } },
  ],
  ports: [53, 5353].flatMap((port) => [
    { port, protocol: 'UDP' },
    { port, protocol: 'TCP' },
  ]),
};

/** Where a sidecar gets its configuration and its certificate. */
const istiod = {
  to: [{ ...everyNamespace, podSelector: { matchLabels: { app: 'istiod' } } }],
  ports: [{ port: 15_012, protocol: 'TCP' }],
};

/**
 * Default deny for each component, with the paths that they need: clients to the pooler, and past it to the database
 * only where they may (readers of the mesh, who go by weights of their own; those of an adopted server); pooler,
 * operator and the other colour to the database; the database to the other colour; guards to the other poolers'
 * consoles and to the API server; metrics to both, and whoever scrapes to them; a drill to its clones, which have names
 * of their own in this namespace; an upgrade to nobody.
 */
export function networkPolicies(environment: Named): Manifest[] {
  const database = selectorLabels(environment, 'database');
  const pooler = selectorLabels(environment, 'pooler');
  // An adopted server has no labels of ours, and its own policies are its owner's.
  const { adopt, istio, metrics, images, drill } = environment.kubernetes;
  const servers = [
    { podSelector: { matchLabels: database } },
    ...(adopt ? [{ podSelector: { matchLabels: adoptedSelector(adopt) } }] : []),
  ];
  const clients = [{ podSelector: {} }, { namespaceSelector: { matchLabels: clientLabel } }];
  const policy = (component: Component, ingress: unknown[], egress: unknown[]): Manifest => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadata(environment, component, `${environment.name}-${component}`),
    spec: {
      podSelector: { matchLabels: selectorLabels(environment, component) },
      policyTypes: ['Ingress', 'Egress'],
      ingress,
      egress,
    },
  });
  const api = {
    ports: [
      { port: 443, protocol: 'TCP' },
      { port: 6443, protocol: 'TCP' },
    ],
  };
  const inside = [{ podSelector: {} }];
  const poolers = { to: [{ podSelector: { matchLabels: pooler } }], ports: [{ port: 6432, protocol: 'TCP' }] };
  // A drill comes from another environment: the one that this may be a clone of.
  const ours = [
    ...['drill', 'metrics'].map((component) => ({
      'app.kubernetes.io/component': component,
      'app.kubernetes.io/managed-by': 'verdigris',
    })),
    operatorLabel,
  ].map((matchLabels) => ({ podSelector: { matchLabels } }));
  const past = istio || adopt ? clients : [];
  return [
    policy(
      'database',
      [
        {
          from: [{ podSelector: { matchLabels: pooler } }, ...servers, ...ours, ...past],
          ports: [{ port: 5432, protocol: 'TCP' }],
        },
      ],
      [{ to: servers, ports: [{ port: 5432, protocol: 'TCP' }] }, dns],
    ),
    policy(
      'pooler',
      [{ from: clients, ports: [{ port: 6432, protocol: 'TCP' }] }],
      [
        { to: servers, ports: [{ port: 5432, protocol: 'TCP' }] },
        // The guard beside the pooler asks the API server, whose address no selector can name, and the other poolers.
        ...(images.verdigris === undefined ? [] : [poolers, api]),
        ...(istio ? [istiod] : []),
        dns,
      ],
    ),
    // Who scrapes is in a namespace that nobody here knows the name of.
    ...(metrics.enabled && images.verdigris !== undefined
      ? [
          policy(
            'metrics',
            [{ ports: [{ port: metricsPort, protocol: 'TCP' }] }],
            [{ to: servers, ports: [{ port: 5432, protocol: 'TCP' }] }, poolers, api, dns],
          ),
        ]
      : []),
    ...(drill.schedule !== undefined && images.verdigris !== undefined
      ? [
          policy(
            'drill',
            [],
            [
              {
                to: inside,
                ports: [
                  { port: 5432, protocol: 'TCP' },
                  { port: 6432, protocol: 'TCP' },
                ],
              },
              api,
              dns,
            ],
          ),
        ]
      : []),
    ...(images.upgrade !== undefined ? [policy('upgrade', [], [])] : []),
  ];
}
