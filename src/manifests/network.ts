import { adoptedSelector } from './adopted.ts';
import type { Manifest } from './manifest.ts';
import { metricsPort } from './metrics.ts';
import { metadata, selectorLabels, type Component, type Named } from './names.ts';

/** Labels of a namespace or pod that may come in as a client. */
export const clientLabel = { 'verdigris.dev/client': 'true' } as const;

const dns = {
  to: [{ namespaceSelector: {} }],
  ports: [
    { port: 53, protocol: 'UDP' },
    { port: 53, protocol: 'TCP' },
  ],
};

/**
 * Default deny for each component, with the paths that they need: clients to the pooler and, past it, to the database; pooler
 * and the other colour to the database; the database to the other colour; metrics to both, and whoever scrapes to them; a drill to its
 * clones, which have names of their own in this namespace; an upgrade, which speaks to itself alone, to nobody; names to addresses.
 */
export function networkPolicies(
  environment: Named,
  options: { readonly openTo?: readonly Record<string, unknown>[] } = {},
): Manifest[] {
  const database = selectorLabels(environment, 'database');
  const pooler = selectorLabels(environment, 'pooler');
  // An adopted server has no labels of ours, and its own policies are its owner's.
  const { adopt } = environment.kubernetes;
  const servers = [
    { podSelector: { matchLabels: database } },
    ...(adopt ? [{ podSelector: { matchLabels: adoptedSelector(adopt) } }] : []),
  ];
  const clients = options.openTo ?? [{ podSelector: {} }, { namespaceSelector: { matchLabels: clientLabel } }];
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
  const { metrics, images, drill } = environment.kubernetes;
  const inside = [{ podSelector: {} }];
  return [
    policy(
      'database',
      [
        {
          from: [{ podSelector: { matchLabels: pooler } }, ...servers, ...clients],
          ports: [{ port: 5432, protocol: 'TCP' }],
        },
      ],
      [{ to: servers, ports: [{ port: 5432, protocol: 'TCP' }] }, dns],
    ),
    policy(
      'pooler',
      [{ from: clients, ports: [{ port: 6432, protocol: 'TCP' }] }],
      // The guard beside the pooler asks the API server, whose address no selector can name.
      [{ to: servers, ports: [{ port: 5432, protocol: 'TCP' }] }, api, dns],
    ),
    // Who scrapes is in a namespace that nobody here knows the name of.
    ...(metrics.enabled && images.verdigris !== undefined
      ? [
          policy(
            'metrics',
            [{ ports: [{ port: metricsPort, protocol: 'TCP' }] }],
            [
              { to: servers, ports: [{ port: 5432, protocol: 'TCP' }] },
              { to: [{ podSelector: { matchLabels: pooler } }], ports: [{ port: 6432, protocol: 'TCP' }] },
              api,
              dns,
            ],
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
