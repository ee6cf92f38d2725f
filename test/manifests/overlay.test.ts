import { expect, test } from 'vitest';
import { requireFittingPatches } from '../../src/manifests/fitting.ts';
import { fixedManifests } from '../../src/manifests/fixed.ts';
import { plannedObjects } from '../../src/manifests/planned.ts';
import { unborn } from '../../src/manifests/lives.ts';
import { declared } from '../pulumi/components/support.ts';

interface Pods {
  metadata: { labels: Record<string, string>; annotations: Record<string, string> };
  spec: {
    selector: { matchLabels: Record<string, string> };
    template: {
      metadata: { labels: Record<string, string> };
      spec: Record<string, unknown> & {
        containers: { name: string; resources: object }[];
        volumes: { name: string }[];
      };
    };
  };
}

function objectOf(kubernetes: Record<string, unknown>, key: string): Pods {
  const environment = declared({ images: { pooler: 'p:1', verdigris: 'v:1' }, ...kubernetes });
  return plannedObjects(environment, {}, { standing: unborn(environment) }).objects[key] as unknown as Pods;
}

test('what a cluster asks of pods is laid over each, by component, and never over what a selector finds', () => {
  const pods = {
    all: { tolerations: [{ key: 'db' }], imagePullSecrets: [{ name: 'registry' }], labels: { team: 'a' } },
    database: {
      nodeSelector: { disk: 'ssd' },
      priorityClassName: 'databases',
      serviceAccountName: 'kms',
      sidecars: [{ name: 'shipper', image: 's:1' }],
      volumes: [{ name: 'spool', emptyDir: {} }],
    },
    pooler: { resources: { guard: { limits: { memory: '256Mi' } } } },
  };
  const plain = objectOf({}, 'StatefulSet/shop-blue');
  const server = objectOf({ pods, annotations: { note: 'x' } }, 'StatefulSet/shop-blue');
  expect(server.spec.template.spec).toMatchObject({
    nodeSelector: { disk: 'ssd' },
    priorityClassName: 'databases',
    serviceAccountName: 'kms',
    tolerations: [{ key: 'db' }],
    imagePullSecrets: [{ name: 'registry' }],
  });
  expect(server.spec.template.spec.containers.map(({ name }) => name)).toEqual(['postgresql', 'shipper']);
  expect(server.spec.template.spec.volumes.map(({ name }) => name)).toContain('spool');
  expect(server.spec.template.metadata.labels).toEqual({ team: 'a', ...plain.spec.template.metadata.labels });
  expect(server.spec.selector).toEqual(plain.spec.selector);
  expect(server.metadata.annotations).toMatchObject({ note: 'x', ...plain.metadata.annotations });
  const pooler = objectOf({ pods }, 'Deployment/shop-pooler').spec.template.spec;
  expect(pooler.containers.find(({ name }) => name === 'guard')?.resources).toMatchObject({
    requests: { cpu: '50m' },
    limits: { memory: '256Mi' },
  });
  expect(pooler).not.toHaveProperty('priorityClassName');
  const drill = fixedManifests(
    declared({ pods, images: { pooler: 'p:1', verdigris: 'v:1' }, drill: { schedule: '@weekly' } }),
  );
  expect(JSON.stringify(drill.find(({ kind }) => kind === 'CronJob'))).toContain('"tolerations":[{"key":"db"}]');
});

test.each([
  ['labels', { 'app.kubernetes.io/instance': 'other' }],
  ['pods', { database: { labels: { 'verdigris.dev/colour': 'green' } } }],
  ['pods', { database: { sidecars: [{ name: 'postgresql', image: 'x:1' }] } }],
  ['pods', { database: { sidecars: [{ name: 'copy', image: 'x:1', volumeMounts: [{ name: 'data' }] }] } }],
  ['pods', { database: { volumes: [{ name: 'data', emptyDir: {} }] } }],
  ['pods', { pooler: { serviceAccountName: 'mine' } }],
])('kubernetes.%s cannot take what a release rests on: %j', (key, value) => {
  expect(() => declared({ [key]: value })).toThrow(`kubernetes.${key}`);
});

test('patches reach what no field is there for, by strategic merge and by JSON patch', () => {
  const patches = [
    {
      kind: 'StatefulSet',
      name: 'shop-*',
      merge: {
        spec: {
          template: {
            spec: {
              hostAliases: [{ ip: '10.0.0.9', hostnames: ['kms'] }],
              containers: [
                { name: 'postgresql', securityContext: { runAsUser: 70 }, env: [{ name: 'TZ', value: 'UTC' }] },
              ],
            },
          },
        },
      },
    },
    { kind: 'Deployment', json: [{ op: 'add', path: '/spec/minReadySeconds', value: 5 }] },
  ];
  const server = objectOf({ patches }, 'StatefulSet/shop-green').spec.template.spec;
  expect(server['hostAliases']).toEqual([{ ip: '10.0.0.9', hostnames: ['kms'] }]);
  const [postgresql] = server.containers as unknown as { env: { name: string }[]; securityContext: object }[];
  expect(postgresql?.env.map(({ name }) => name)).toEqual(expect.arrayContaining(['PGDATA', 'TZ']));
  expect(postgresql?.securityContext).toMatchObject({ runAsUser: 70, readOnlyRootFilesystem: true });
  expect(objectOf({ patches }, 'Deployment/shop-pooler').spec).toMatchObject({ minReadySeconds: 5, replicas: 2 });
  expect(() => requireFittingPatches(declared({ patches }))).not.toThrow();
});

test.each([
  ['StatefulSet', { spec: { replicas: 3 } }, 'spec.replicas'],
  ['StatefulSet', { spec: { selector: { matchLabels: { team: 'a' } } } }, 'spec.selector'],
  [
    'StatefulSet',
    { spec: { template: { metadata: { labels: { 'verdigris.dev/colour': null } } } } },
    'verdigris.dev/colour',
  ],
  [
    'StatefulSet',
    { spec: { template: { spec: { containers: [{ name: 'postgresql', image: 'other:1' }] } } } },
    'containers[postgresql].image',
  ],
  ['StatefulSet', { spec: { template: { spec: { volumes: [{ name: 'data', $patch: 'delete' }] } } } }, 'volumes[data]'],
  ['Service', { spec: { selector: { 'verdigris.dev/colour': 'green' } } }, 'spec.selector'],
  ['PersistentVolumeClaim', { spec: { accessModes: ['ReadWriteMany'] } }, 'spec'],
  ['Secret', { stringData: { password: 'x' } }, 'stringData'],
])('a patch of %s that touches what a release rests on is refused by its path: %j', (kind, merge, path) => {
  expect(() => requireFittingPatches(declared({ patches: [{ kind, merge }] }))).toThrow(path);
});

test('a patch that is meant for nothing, or does not fit, is refused before anything is done', () => {
  const patch = (one: object) => () => requireFittingPatches(declared({ patches: [one] }));
  expect(patch({ kind: 'StatefulSet', name: 'shop-red', merge: {} })).toThrow('name one of shop-blue, shop-green');
  expect(patch({ kind: 'Stateful', merge: {} })).toThrow('name one of the kinds Deployment, NetworkPolicy');
  expect(patch({ kind: 'Deployment', json: [{ op: 'replace', path: '/spec/none/x', value: 1 }] })).toThrow(
    'does not fit',
  );
});
