import { expect, test } from 'vitest';
import { drillManifests } from '../../src/manifests/drill.ts';
import { fixedManifests } from '../../src/manifests/fixed.ts';
import { guardManifests } from '../../src/manifests/guard.ts';
import { metricsManifests } from '../../src/manifests/metrics.ts';
import { poolerDeployment } from '../../src/manifests/pooler.ts';
import { drillRules, guardRules, metricsRules, operatorRules, type RbacRule } from '../../src/manifests/rbac.ts';
import { containerSecurity, podSecurity } from '../../src/manifests/security.ts';
import { upgradeJob } from '../../src/manifests/upgrade.ts';
import { plainKinds } from '../../src/platform/kubernetes/lifecycle/remove.ts';
import { kinds } from '../../src/platform/kubernetes/kinds.ts';
import { neededRules } from '../../src/platform/kubernetes/requirements.ts';
import { declared } from '../pulumi/components/support.ts';

const images = { pooler: 'pgbouncer:1.24', verdigris: 'verdigris:0.1.0' };
interface PodTemplate {
  spec: {
    serviceAccountName: string;
    securityContext: unknown;
    containers: {
      image: string;
      command: string[];
      securityContext: unknown;
      resources: { requests: unknown; limits: unknown };
    }[];
    volumes: { configMap?: { name: string } }[];
  };
}

test("drills are a CronJob in the product's image, one at a time, with an end; none without a schedule", () => {
  expect(drillManifests(declared({ images }))).toEqual([]);
  const made = drillManifests(
    declared({ images, drill: { schedule: '0 4 * * 1', timeZone: 'Europe/Berlin', limit: '30m' } }),
  );
  expect(made.map(({ kind, metadata: { name } }) => `${kind} ${name}`)).toEqual([
    'ServiceAccount shop-drill',
    'Role shop-drill',
    'RoleBinding shop-drill',
    'CronJob shop-drill',
  ]);
  const { schedule, timeZone, concurrencyPolicy, jobTemplate } = made[3]?.['spec'] as {
    schedule: string;
    timeZone: string;
    concurrencyPolicy: string;
    jobTemplate: { spec: { activeDeadlineSeconds: number; backoffLimit: number; template: PodTemplate } };
  };
  expect({
    schedule,
    timeZone,
    concurrencyPolicy,
    limit: jobTemplate.spec.activeDeadlineSeconds,
    retries: jobTemplate.spec.backoffLimit,
  }).toEqual({
    schedule: '0 4 * * 1',
    timeZone: 'Europe/Berlin',
    concurrencyPolicy: 'Forbid',
    limit: 1_800,
    retries: 0,
  });
  const { spec } = jobTemplate.spec.template;
  expect(spec).toMatchObject({
    serviceAccountName: 'shop-drill',
    securityContext: podSecurity,
    containers: [{ image: 'verdigris:0.1.0', securityContext: containerSecurity }],
  });
});

test("metrics are one pod behind a Service; the Prometheus operator's objects only where they are asked for", () => {
  expect(metricsManifests(declared({ images }))).toEqual([]);
  const kinds = (metrics: Record<string, boolean>) =>
    metricsManifests(declared({ images, metrics })).map(({ kind }) => kind);
  expect(kinds({ enabled: true })).toEqual(['ServiceAccount', 'Role', 'RoleBinding', 'Deployment', 'Service']);
  expect(kinds({ enabled: true, serviceMonitor: true, rules: true })).toEqual([
    'ServiceAccount',
    'Role',
    'RoleBinding',
    'Deployment',
    'Service',
    'ServiceMonitor',
    'PrometheusRule',
  ]);
  const deployment = metricsManifests(declared({ images, metrics: { enabled: true } }))[3]?.['spec'] as {
    template: PodTemplate;
  };
  expect(deployment.template.spec).toMatchObject({
    serviceAccountName: 'shop-metrics',
    securityContext: podSecurity,
    containers: [{ securityContext: containerSecurity }],
  });
});

test('metrics have a NetworkPolicy of their own: scrapes come in, and servers, poolers and the API are what it asks', () => {
  const policies = (metrics: Record<string, boolean>) =>
    fixedManifests(declared({ images, metrics })).filter(({ kind }) => kind === 'NetworkPolicy');
  expect(policies({}).map(({ metadata: { name } }) => name)).toEqual(['shop-database', 'shop-pooler']);
  const own = policies({ enabled: true }).find(({ metadata: { name } }) => name === 'shop-metrics')?.['spec'] as {
    podSelector: { matchLabels: Record<string, string> };
    ingress: unknown;
    egress: { ports: { port: number }[] }[];
  };
  const deployment = metricsManifests(declared({ images, metrics: { enabled: true } }))[3]?.['spec'] as {
    template: { metadata: { labels: Record<string, string> } };
  };
  expect(deployment.template.metadata.labels).toMatchObject(own.podSelector.matchLabels);
  expect(own.ingress).toEqual([{ ports: [{ port: 9_464, protocol: 'TCP' }] }]);
  expect(own.egress.flatMap(({ ports }) => ports.map(({ port }) => port))).toEqual([
    5_432, 6_432, 443, 6_443, 53, 53, 5_353, 5_353,
  ]);
});

test('pods of drills and of upgrades have policies of their own: nobody comes in; a drill reaches its clones and the API, an upgrade nobody', () => {
  const environment = declared({ images: { ...images, upgrade: 'both:1' }, drill: { schedule: '@weekly' } });
  const policies = fixedManifests(environment).filter(({ kind }) => kind === 'NetworkPolicy') as unknown as {
    metadata: { name: string };
    spec: {
      podSelector: { matchLabels: Record<string, string> };
      ingress: unknown[];
      egress: { to?: unknown; ports: { port: number }[] }[];
      policyTypes: string[];
    };
  }[];
  const named = (name: string) => policies.find(({ metadata }) => metadata.name === name)?.spec;
  const drill = drillManifests(environment)[3]?.['spec'] as {
    jobTemplate: { spec: { template: { metadata: { labels: Record<string, string> } } } };
  };
  expect(drill.jobTemplate.spec.template.metadata.labels).toMatchObject(
    named('shop-drill')?.podSelector.matchLabels ?? { none: '' },
  );
  expect(named('shop-drill')).toMatchObject({ ingress: [], policyTypes: ['Ingress', 'Egress'] });
  expect(named('shop-drill')?.egress.flatMap(({ ports }) => ports.map(({ port }) => port))).toEqual([
    5_432, 6_432, 443, 6_443, 53, 53, 5_353, 5_353,
  ]);
  const upgrade = upgradeJob(environment, 'both:1', { colour: 'green', generation: 2, from: 15, to: 17 })['spec'] as {
    template: { metadata: { labels: Record<string, string> } };
  };
  expect(upgrade.template.metadata.labels).toMatchObject(
    named('shop-upgrade')?.podSelector.matchLabels ?? { none: '' },
  );
  expect(named('shop-upgrade')).toMatchObject({ ingress: [], egress: [], policyTypes: ['Ingress', 'Egress'] });
});

test('guards, drills and metrics read one declaration, which is written down beside the poolers', () => {
  const environment = declared({ images, drill: { schedule: '@weekly' }, metrics: { enabled: true } });
  const { guard, manifests } = guardManifests(environment, { name: 'shop' });
  expect(manifests.at(-1)).toMatchObject({
    kind: 'ConfigMap',
    metadata: { name: guard?.declaration },
    data: { 'declaration.json': '{\n "name": "shop"\n}' },
  });
  const mounted = [poolerDeployment(environment, guard), ...fixedManifests(environment)]
    .flatMap((manifest) =>
      [...JSON.stringify(manifest).matchAll(/"configMap":\{"name":"([^"]+)"/g)].map(([, name]) => name),
    )
    .filter((name) => name !== 'shop-pooler' && name !== 'kube-root-ca.crt');
  expect(mounted).toEqual(['shop-declaration', 'shop-declaration', 'shop-migrations', 'shop-declaration']);
});

test('a schedule, and metrics, need the image; a schedule is one of cron', () => {
  expect(() => declared({ drill: { schedule: '@weekly' } })).toThrow(
    /kubernetes\.drill\.schedule: needs kubernetes\.images\.verdigris/,
  );
  expect(() => declared({ metrics: { enabled: true } })).toThrow(
    /kubernetes\.metrics\.enabled: needs kubernetes\.images\.verdigris/,
  );
  expect(() => declared({ images, drill: { schedule: 'every monday' } })).toThrow(/five fields/);
});

const granted = (rules: readonly RbacRule[]) =>
  rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => `${group}/${resource} ${verb}`))),
  );

test('the operator may grant what its helpers have, and nothing that he lacks: the API server would refuse the Role', () => {
  const own = new Set(granted(operatorRules));
  for (const rules of [guardRules(declared({ images, istio: true })), drillRules, metricsRules({ name: 'shop' })])
    expect(granted(rules).filter((each) => !own.has(each))).toEqual([]);
});

test('a drill may do all that a release asks for, and look for all that a clone is made of', () => {
  const environment = declared({
    images: { ...images, upgrade: 'both:1' },
    istio: true,
    drill: { schedule: '@weekly' },
    metrics: { enabled: true, serviceMonitor: true },
    quota: { pods: '10' },
  });
  const own = new Set(granted(drillRules));
  expect(granted(neededRules(environment, 'release', true)).filter((each) => !own.has(each))).toEqual([]);
  expect(
    plainKinds
      .map((kind) => `${/^(.*\/)?.*$/.exec(kinds[kind].version)?.[1]?.slice(0, -1) ?? ''}/${kinds[kind].plural}`)
      .flatMap((what) => ['list', 'delete'].map((verb) => `${what} ${verb}`))
      .filter((each) => !own.has(each)),
  ).toEqual([]);
  // Making it takes more.
  expect(granted(neededRules(environment, 'making', true)).filter((each) => !own.has(each))).toContain(
    'rbac.authorization.k8s.io/roles create',
  );
});
