import { expect, test } from 'vitest';
import { parseEnvironment } from '../../../src/model/environment.ts';
import type { CnpgCluster, CnpgFacts } from '../../../src/platform/cnpg/objects.ts';
import { problemsOf } from '../../../src/platform/cnpg/problems.ts';
import { document } from '../../docs/sources.ts';

const environment = parseEnvironment(
  {
    name: 'shop',
    platform: 'local',
    database: 'shop',
    roles: { application: ['shop_app'] },
    colours: { blue: { release: '1', postgres: 17, server: { kind: 'cnpg', cluster: 'shop-blue' } } },
    live: 'blue',
  },
  'the test',
);

type Spec = CnpgCluster['spec'];

function cluster(
  spec: Partial<Spec> = {},
  status: NonNullable<CnpgCluster['status']> = {},
  annotations: Record<string, string> = {},
): CnpgCluster {
  return {
    apiVersion: 'postgresql.cnpg.io/v1',
    kind: 'Cluster',
    metadata: { name: 'shop-blue', resourceVersion: '1', uid: 'u', creationTimestamp: '', annotations },
    spec: {
      instances: 2,
      bootstrap: { initdb: { owner: 'shop_app', secret: { name: 'shop-app' } } },
      postgresql: {
        synchronous: { number: 1 },
        parameters: { sync_replication_slots: 'on', hot_standby_feedback: 'on' },
      },
      replicationSlots: { highAvailability: { enabled: true, synchronizeLogicalDecoding: true } },
      ...spec,
    },
    status: {
      phase: 'Cluster in healthy state',
      readyInstances: 2,
      pgDataImageInfo: { majorVersion: 17 },
      ...status,
    },
  };
}

const facts = (of: CnpgCluster, more: Partial<CnpgFacts> = {}): CnpgFacts => ({
  cluster: of,
  poolers: [],
  subscriptions: [],
  roles: [],
  ...more,
});

const names = (of: CnpgFacts, other?: CnpgFacts): string[] =>
  problemsOf(environment, 'blue', of, other).map(({ name }) => name);

const synchronous = cluster().spec.postgresql;

test('a Cluster as the documentation has it can be a colour', () => {
  expect(names(facts(cluster()), facts(cluster()))).toEqual([]);
  expect(names(facts(cluster({ instances: 1, postgresql: {}, replicationSlots: {} }, { readyInstances: 1 })))).toEqual(
    [],
  );
});

const cases: readonly (readonly [string, CnpgFacts, CnpgFacts?])[] = [
  ['replica-cluster', facts(cluster({ replica: { enabled: true } }))],
  ['replica-cluster', facts(cluster({ replica: { primary: 'elsewhere' } }))],
  ['hibernated', facts(cluster({}, {}, { 'cnpg.io/hibernation': 'on' }))],
  ['fenced', facts(cluster({}, {}, { 'cnpg.io/fencedInstances': '["shop-blue-2"]' }))],
  ['not-healthy', facts(cluster({}, { phase: 'Upgrading Postgres major version' }))],
  ['standby-missing', facts(cluster({}, { readyInstances: 1 }))],
  ['major', facts(cluster({}, { pgDataImageInfo: { majorVersion: 18 } }))],
  ['superuser-access', facts(cluster({ enableSuperuserAccess: true }))],
  ['managed-role', facts(cluster({ managed: { roles: [{ name: 'shop_app', login: true }] } }))],
  ['managed-role', facts(cluster(), { roles: ['shop_app'] })],
  ['pooler', facts(cluster(), { poolers: ['shop-pooler'] })],
  ['subscription', facts(cluster(), { subscriptions: ['from-elsewhere'] })],
  ['slots-not-carried', facts(cluster({ postgresql: { ...synchronous, parameters: {} } }))],
  ['slots-not-carried', facts(cluster({ replicationSlots: { highAvailability: { enabled: true } } }))],
  ['not-synchronous', facts(cluster({ postgresql: { parameters: synchronous?.parameters ?? {} } }))],
  [
    'slot-timeout',
    facts(
      cluster({
        postgresql: {
          ...synchronous,
          parameters: { ...synchronous?.parameters, idle_replication_slot_timeout: '1h' },
        },
      }),
    ),
  ],
  ['app-secret', facts(cluster({ bootstrap: { initdb: { owner: 'shop_app' } } }))],
  [
    'app-secret',
    facts(cluster()),
    facts(cluster({ bootstrap: { initdb: { owner: 'shop_app', secret: { name: 'another' } } } })),
  ],
];

test.for(cases)('%s is found, alone, and explained', ([name, found, other]) => {
  expect(names(found, other)).toEqual([name]);
  expect(document('docs/cnpg.md')).toMatch(new RegExp(`^\\| [^|]*\`${name}\``, 'm'));
});

test("before PostgreSQL 17 slots end with a failover, and an application's role that is not the owner's is nobody's to set", () => {
  const old = cluster({ bootstrap: { initdb: { owner: 'somebody' } } }, { pgDataImageInfo: { majorVersion: 16 } });
  expect(names(facts(old))).toEqual(['major', 'slots-end']);
});
