import { expect, test } from 'vitest';
import { fixedManifests } from '../../src/manifests/fixed.ts';
import { guardManifests } from '../../src/manifests/guard.ts';
import { clientLabel, networkPolicies, operatorLabel } from '../../src/manifests/network.ts';
import { objectNames, selectorLabels, type Component } from '../../src/manifests/names.ts';
import { poolerDeployment } from '../../src/manifests/pooler.ts';
import type { Environment } from '../../src/model/environment.ts';
import { declared } from '../pulumi/components/support.ts';

interface Labels {
  readonly [key: string]: string;
}
interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: 'In'; readonly values: string[] }[];
}
interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string };
}
interface Rule {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports?: readonly { readonly port: number; readonly protocol: string }[];
}
interface Policy {
  readonly spec: {
    readonly podSelector: Selector;
    readonly ingress: readonly Rule[];
    readonly egress: readonly Rule[];
  };
}
interface Place {
  readonly name: string;
  readonly labels: Labels;
  /** None: the environment's own. */
  readonly namespace?: Labels;
  /** Of what is no pod. */
  readonly address?: string;
}

const images = { pooler: 'pgbouncer:1.24', verdigris: 'verdigris:0.1.0', upgrade: 'both:1' };

/**
 * NetworkPolicies as the API defines them: a pod that one selects sends and receives what some rule of one of its
 * policies says, and no more.
 */
function simulator(policies: readonly Policy[]) {
  const fits = ({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean =>
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, values }) => values.includes(labels[key] ?? ''));
  const isPeer = (
    { podSelector, namespaceSelector, ipBlock }: Peer,
    { labels, namespace, address }: Place,
  ): boolean => {
    if (ipBlock) return address !== undefined && ipBlock.cidr === `${address}/32`;
    if (address !== undefined) return false;
    const there = namespaceSelector ? fits(namespaceSelector, namespace ?? { own: 'yes' }) : namespace === undefined;
    return there && (podSelector === undefined || fits(podSelector, labels));
  };
  const allowed = (place: Place, peer: Place, direction: 'ingress' | 'egress', port: number, protocol: string) => {
    const of =
      (place.namespace ?? place.address) ? [] : policies.filter(({ spec }) => fits(spec.podSelector, place.labels));
    return (
      of.length === 0 ||
      of.some(({ spec }) =>
        spec[direction].some(
          ({ from, to, ports }) =>
            ((from ?? to) === undefined || (from ?? to)?.some((each) => isPeer(each, peer))) &&
            (ports === undefined || ports.some((each) => each.port === port && each.protocol === protocol)),
        ),
      )
    );
  };
  return (from: Place, to: Place, port: number, protocol = 'TCP'): boolean =>
    allowed(from, to, 'egress', port, protocol) && allowed(to, from, 'ingress', port, protocol);
}

function reaching(environment: Environment) {
  return simulator(
    fixedManifests(environment).filter(({ kind }) => kind === 'NetworkPolicy') as unknown as readonly Policy[],
  );
}

const all = declared({ images, drill: { schedule: '@weekly' }, metrics: { enabled: true } });
const pod = (component: Component, name = `${component} pod`): Place => ({
  name,
  labels: selectorLabels(all, component),
});
const server = pod('database', 'server');
const otherServer = pod('database', 'the other server');
const pooler = pod('pooler', 'pooler');
const otherPooler = pod('pooler', 'the other pooler');
const operator: Place = { name: 'operator', labels: operatorLabel };
const application: Place = { name: 'application', labels: { app: 'shop' } };
const neighbour: Place = { name: 'application of a client namespace', labels: { app: 'web' }, namespace: clientLabel };
const stranger: Place = { name: 'stranger', labels: { app: 'web' }, namespace: { team: 'other' } };
const api: Place = { name: 'API server', labels: {}, address: '10.0.0.1' };
const resolver: Place = { name: 'DNS', labels: { 'k8s-app': 'kube-dns' }, namespace: { system: 'yes' } };
const nodeResolver: Place = { name: 'DNS of the node', labels: {}, address: '169.254.20.10' };
const openshift: Place = {
  name: 'DNS of OpenShift',
  labels: { 'dns.operator.openshift.io/daemonset-dns': 'default' },
  namespace: { system: 'yes' },
};
const istiod: Place = { name: 'istiod', labels: { app: 'istiod' }, namespace: { system: 'yes' } };
const exporter: Place = { name: 'anything else', labels: { app: 'exfiltrate' }, namespace: { system: 'yes' } };

const who = [server, pooler, operator, pod('drill'), pod('metrics'), pod('upgrade'), application, neighbour, stranger];
const whom: readonly (readonly [Place, number, string?])[] = [
  [otherServer, 5_432],
  [otherPooler, 6_432],
  [api, 443],
  [istiod, 15_012],
  [exporter, 443],
  [resolver, 53, 'UDP'],
  [exporter, 53, 'UDP'],
];

/** `who: whom he reaches`, of those who are bound by a policy on either side. */
function table(environment: Environment): string[] {
  const reaches = reaching(environment);
  return who.map((from) => {
    const reached = whom.filter(([to, port, protocol]) => reaches(from, to, port, protocol));
    return `${from.name}: ${reached.map(([to, port]) => `${to.name}:${port}`).join(', ')}`;
  });
}

const free = 'API server:443, istiod:15012, anything else:443, DNS:53, anything else:53';

test('who reaches whom: servers are reached by poolers, operator, drills, metrics and each other; guards reach the other poolers', () => {
  expect(table(all)).toEqual([
    'server: the other server:5432, DNS:53',
    // No selector can name an API server: 443 is open to whoever has a guard in his pod.
    'pooler: the other server:5432, the other pooler:6432, API server:443, anything else:443, DNS:53',
    `operator: the other server:5432, the other pooler:6432, ${free}`,
    'drill pod: the other server:5432, the other pooler:6432, API server:443, anything else:443, DNS:53',
    'metrics pod: the other server:5432, the other pooler:6432, API server:443, anything else:443, DNS:53',
    'upgrade pod: ',
    `application: the other pooler:6432, ${free}`,
    `application of a client namespace: the other pooler:6432, ${free}`,
    `stranger: ${free}`,
  ]);
});

test('poolers without a guard reach servers and DNS; in a mesh istiod too, and its readers may pass them by', () => {
  const plain = declared({ images: { pooler: images.pooler } });
  expect(table(plain)[1]).toBe('pooler: the other server:5432, DNS:53');
  const mesh = table(declared({ images, istio: true }));
  expect(mesh[1]).toContain('istiod:15012');
  expect(mesh[6]).toBe(`application: the other server:5432, the other pooler:6432, ${free}`);
  expect(mesh[8]).toBe(`stranger: ${free}`);
});

test('names are asked of the resolvers of Kubernetes, of a node and of OpenShift', () => {
  const reaches = reaching(all);
  for (const from of [server, pooler, pod('drill'), pod('metrics')]) {
    for (const protocol of ['UDP', 'TCP']) {
      expect(reaches(from, resolver, 53, protocol)).toBe(true);
      expect(reaches(from, nodeResolver, 53, protocol)).toBe(true);
      expect(reaches(from, openshift, 5_353, protocol)).toBe(true);
    }
    expect(reaches(from, { ...resolver, labels: { app: 'web' } }, 53, 'UDP')).toBe(false);
  }
});

test("a drill reaches the servers of its clone, whose policies are the clone's own", () => {
  const clone = { ...all, name: 'drill-1' };
  const reaches = simulator([
    ...(networkPolicies(clone) as unknown as readonly Policy[]),
    ...(fixedManifests(all).filter(({ kind }) => kind === 'NetworkPolicy') as unknown as readonly Policy[]),
  ]);
  const copied: Place = { name: 'clone', labels: selectorLabels(clone, 'database') };
  expect(reaches(pod('drill'), copied, 5_432)).toBe(true);
  expect(reaches(application, copied, 5_432)).toBe(false);
});

interface PodSpec {
  readonly automountServiceAccountToken: boolean;
  readonly containers: readonly { name: string; volumeMounts: { name: string; mountPath: string }[] }[];
  readonly volumes: readonly { name: string; projected?: { sources: object[] } }[];
}

test("the guard's token and its scratch volume are in the guard's container alone", () => {
  const { guard } = guardManifests(all, {});
  const { spec } = (poolerDeployment(all, guard)['spec'] as { template: { spec: PodSpec } }).template;
  expect(spec.automountServiceAccountToken).toBe(false);
  const withToken = spec.volumes.filter((volume) => JSON.stringify(volume).includes('serviceAccountToken'));
  expect(withToken.map(({ name }) => name)).toEqual(['guard-token']);
  const mounts = (container: string) =>
    spec.containers.find(({ name }) => name === container)?.volumeMounts.map(({ name }) => name) ?? [];
  expect(mounts('guard')).toContain('guard-token');
  expect(mounts('guard').filter((volume) => mounts('pgbouncer').includes(volume))).toEqual([]);
});

test('a guard makes nothing and removes nothing but snapshots, and each Secret, server and route that it may touch is named', () => {
  const { manifests } = guardManifests(declared({ images, istio: true }), {});
  const { rules } = manifests.find(({ kind }) => kind === 'Role') as unknown as {
    rules: readonly { resources: string[]; verbs: string[]; resourceNames?: string[] }[];
  };
  expect(rules.flatMap(({ verbs }) => verbs).filter((verb) => verb === 'create' || verb === '*')).toEqual([]);
  expect(rules.filter(({ verbs }) => verbs.includes('delete')).map(({ resources }) => resources)).toEqual([
    ['volumesnapshots'],
  ]);
  expect(
    rules
      .filter(({ resourceNames }) => resourceNames === undefined)
      .map(({ resources, verbs }) => [...resources, ...verbs]),
  ).toEqual([
    ['pods', 'get', 'list'],
    ['services', 'list'],
    ['volumesnapshots', 'get', 'list', 'delete'],
  ]);
  expect(rules.find(({ resources }) => resources[0] === 'secrets')?.resourceNames).toEqual([
    'shop-operator',
    objectNames.roleSecret('shop', 'shop_app'),
    objectNames.roleSecret('shop', 'shop_reader'),
  ]);
});
