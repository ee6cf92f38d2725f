import { expect, test } from 'vitest';
import { boundedWal } from '../../policies/rules/bounded-wal.ts';
import { keptSnapshot } from '../../policies/rules/kept-snapshot.ts';
import { networkPolicyPresent } from '../../policies/rules/network-policy-present.ts';
import { noPlainSecret } from '../../policies/rules/no-plain-secret.ts';
import { pinnedImages } from '../../policies/rules/pinned-images.ts';
import { probesAndResources } from '../../policies/rules/probes-and-resources.ts';
import { protectedData } from '../../policies/rules/protected-data.ts';
import { unweightedWrites } from '../../policies/rules/unweighted-writes.ts';
import { colourConfig, colourServer } from '../../src/manifests/colour.ts';
import type { Manifest } from '../../src/manifests/manifest.ts';
import { networkPolicies } from '../../src/manifests/network.ts';
import { poolerConfig, poolerDeployment } from '../../src/manifests/pooler.ts';
import { volumeClaim, volumeSnapshot } from '../../src/manifests/storage.ts';
import { clientServices, istioRoutes } from '../../src/manifests/traffic.ts';
import { declared } from '../pulumi/components/support.ts';
import { but, judge, judgeStack } from './support.ts';

const environment = declared();
const life = { colour: 'blue', generation: 1, major: 15, release: '1', parked: false } as const;
const server = colourServer(environment, life);
const pooler = poolerDeployment(environment, { image: 'verdigris:1', declaration: 'd', serviceAccount: 's' });
const config = colourConfig(environment, life);
const claim = volumeClaim(environment, { colour: 'blue', generation: 1, storage: '1Gi' });
const blue = { colour: 'blue', major: 15, claim: 'shop-blue-1', path: 'pgdata' } as const;
const snapshot = volumeSnapshot(declared({ snapshotClass: 'retain' }), blue, 'before-switch-1');
const route = { live: 'blue', canary: 25, token: 1 } as const;
const [writes, reads] = istioRoutes(environment, route) as [Manifest, Manifest];
const everything = [
  server,
  pooler,
  config,
  poolerConfig(environment),
  claim,
  snapshot,
  writes,
  reads,
  ...clientServices(environment, route),
  ...networkPolicies(environment),
];

test('what Verdigris makes breaks no rule', () => {
  for (const rule of [
    protectedData,
    unweightedWrites,
    keptSnapshot,
    pinnedImages,
    noPlainSecret,
    probesAndResources,
    boundedWal,
  ]) {
    for (const manifest of everything)
      expect(judge(rule, manifest), `${rule.name}: ${manifest.kind} ${manifest.metadata.name}`).toEqual([]);
  }
  expect(judgeStack(networkPolicyPresent, everything)).toEqual([]);
});

test.each(['live', 'retained'])(
  'protected-data: the volume and the server of the %s colour must be protected',
  (role) => {
    for (const manifest of [server, claim]) {
      const labelled = {
        ...manifest,
        metadata: { ...manifest.metadata, labels: { ...manifest.metadata.labels, 'verdigris.dev/role': role } },
      };
      expect(judge(protectedData, labelled)).toEqual([expect.stringContaining(`${role} colour and is not protected`)]);
      expect(judge(protectedData, labelled, { protect: true })).toEqual([]);
    }
  },
);

test.each([[[50, 50]], [[99, 1]], [[100, 100]]])('unweighted-writes: weights %j are refused for writes', (weights) => {
  const split = (manifest: Manifest) => but(manifest, 'spec.tcp', [{ route: weights.map((weight) => ({ weight })) }]);
  expect(judge(unweightedWrites, split(writes))).toEqual([expect.stringContaining('split by weight')]);
  expect(judge(unweightedWrites, split(reads))).toEqual([]);
});

test('kept-snapshot: the snapshot before a switchover needs a class that keeps', () => {
  expect(judge(keptSnapshot, volumeSnapshot(environment, blue, 'before-switch-1'))).toEqual([
    expect.stringContaining('the default class'),
  ]);
  expect(judge(keptSnapshot, snapshot, { config: { keepingClasses: ['other'] } })).toEqual([
    expect.stringContaining('the class retain'),
  ]);
  expect(judge(keptSnapshot, volumeSnapshot(environment, blue, 'seed-2'))).toEqual([]);
  const kept: Manifest = {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshotClass',
    metadata: { name: 'retain' },
    deletionPolicy: 'Delete',
  };
  expect(judge(keptSnapshot, kept)).toEqual([expect.stringContaining('deletionPolicy is Delete')]);
});

test.each(['postgres', 'postgres:latest', 'registry:5000/postgres', ''])('pinned-images: %j is refused', (image) => {
  expect(judge(pinnedImages, but(server, 'spec.template.spec.containers.0.image', image))).toHaveLength(1);
});

test('pinned-images: tags and digests will do, and init containers count', () => {
  const with_ = (image: string) => but(server, 'spec.template.spec.initContainers', [{ name: 'first', image }]);
  expect(judge(pinnedImages, with_(`registry:5000/a/b@sha256:${'0'.repeat(64)}`))).toEqual([]);
  expect(judge(pinnedImages, with_('busybox'))).toEqual([expect.stringContaining('container first')]);
});

test('no-plain-secret: neither in the environment nor in a ConfigMap', () => {
  const env = (name: string, value: string) => but(server, 'spec.template.spec.containers.0.env', [{ name, value }]);
  expect(judge(noPlainSecret, env('PGPASSWORD', 'x'))).toEqual([expect.stringContaining('PGPASSWORD')]);
  expect(judge(noPlainSecret, env('DATABASE_URL', 'postgresql://a:b@c/d'))).toHaveLength(1);
  const map = { ...config, kind: 'ConfigMap', data: { dsn: 'host=a password=b' } } as const;
  expect(judge(noPlainSecret, map)).toEqual([expect.stringContaining('dsn')]);
});

test('probes-and-resources: each is missed when it is missing', () => {
  const at = 'spec.template.spec.containers.0';
  expect(judge(probesAndResources, but(server, `${at}.resources`))).toEqual([
    expect.stringContaining('requests.cpu, requests.memory, limits.memory'),
  ]);
  expect(judge(probesAndResources, but(server, `${at}.readinessProbe`))).toEqual([
    expect.stringContaining('no readinessProbe'),
  ]);
  expect(judge(probesAndResources, but(server, `${at}.livenessProbe`))).toEqual([
    expect.stringContaining('livenessProbe'),
  ]);
});

test('network-policy-present: every server and pooler is chosen by one, in its own namespace', () => {
  expect(judgeStack(networkPolicyPresent, [server, pooler])).toHaveLength(2);
  const elsewhere = networkPolicies(declared({ namespace: 'other' }));
  expect(judgeStack(networkPolicyPresent, [server, ...elsewhere])).toEqual([expect.stringContaining('shop-blue')]);
});

test.each([['-1'], ['0'], [undefined]])('bounded-wal: %j is refused', (size) => {
  const settings = size === undefined ? 'port=5432\n' : `port=5432\nmax_slot_wal_keep_size=${size}\n`;
  expect(judge(boundedWal, but(config, 'stringData.settings', settings))).toHaveLength(1);
});
