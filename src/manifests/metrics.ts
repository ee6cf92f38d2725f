import { sealVolume } from './seal.ts';
import type { Environment } from '../model/environment.ts';
import { ruleGroups } from '../metrics/rules.ts';
import { authorityMounts, authorityVolumes } from './certificates.ts';
import { commandContainer } from './command-line.ts';
import type { Manifest } from './manifest.ts';
import { metadata, objectNames, selectorLabels } from './names.ts';
import { metricsRules, serviceRole } from './rbac.ts';
import { podSecurity, resources } from './security.ts';

export const metricsPort = 9_464;

/**
 * One pod that looks at the environment when it is asked, and tells Prometheus. Apart from the guards: there are as
 * many of them as poolers, and each would say the same.
 */
export function metricsManifests(environment: Environment): Manifest[] {
  const {
    name,
    kubernetes: {
      images,
      metrics: { enabled, serviceMonitor, rules },
    },
  } = environment;
  if (!enabled || images.verdigris === undefined) return [];
  const own = objectNames.metrics(name);
  const selector = selectorLabels(environment, 'metrics');
  return [
    ...serviceRole(environment, own, metricsRules(environment), 'metrics'),
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: metadata(environment, 'metrics', own),
      spec: {
        replicas: 1,
        selector: { matchLabels: selector },
        template: {
          metadata: {
            labels: { ...metadata(environment, 'metrics', own).labels, 'sidecar.istio.io/inject': 'false' },
            annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': String(metricsPort) },
          },
          spec: {
            serviceAccountName: own,
            securityContext: podSecurity,
            containers: [
              {
                ...commandContainer('metrics', images.verdigris, {
                  command: ['metrics'],
                  options: ['--listen', `0.0.0.0:${metricsPort}`],
                  resources: resources({ cpu: '10m', memory: '96Mi', memoryLimit: '384Mi' }),
                  mounts: authorityMounts(environment),
                }),
                ports: [{ name: 'metrics', containerPort: metricsPort, protocol: 'TCP' }],
                readinessProbe: {
                  httpGet: { path: '/healthz', port: 'metrics' },
                  periodSeconds: 2,
                  failureThreshold: 30,
                },
                livenessProbe: {
                  httpGet: { path: '/healthz', port: 'metrics' },
                  periodSeconds: 10,
                  failureThreshold: 6,
                },
              },
            ],
            volumes: [
              { name: 'declaration', configMap: { name: objectNames.declaration(name) } },
              sealVolume(environment),
              { name: 'tmp', emptyDir: {} },
              ...authorityVolumes(environment),
            ],
          },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: metadata(environment, 'metrics', own),
      spec: {
        type: 'ClusterIP',
        selector,
        ports: [{ name: 'http-metrics', port: metricsPort, targetPort: 'metrics', protocol: 'TCP' }],
      },
    },
    ...(serviceMonitor
      ? [
          {
            apiVersion: 'monitoring.coreos.com/v1',
            kind: 'ServiceMonitor',
            metadata: metadata(environment, 'metrics', own),
            spec: {
              selector: { matchLabels: selector },
              endpoints: [{ port: 'http-metrics', path: '/metrics', interval: '15s', scrapeTimeout: '10s' }],
            },
          } as const,
        ]
      : []),
    ...(rules
      ? [
          {
            apiVersion: 'monitoring.coreos.com/v1',
            kind: 'PrometheusRule',
            metadata: metadata(environment, 'metrics', own),
            spec: ruleGroups(),
          } as const,
        ]
      : []),
  ];
}
