import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Colour } from '../../../src/model/colours.ts';
import { networkPolicies } from '../../../src/manifests/network.ts';
import { commonLabels, labelValue, objectNames } from '../../../src/manifests/names.ts';
import { plannedObjects } from '../../../src/manifests/planned.ts';
import { unborn } from '../../../src/manifests/lives.ts';
import { poolerBudget, poolerDeployment } from '../../../src/manifests/pooler.ts';
import { poolerSettings } from '../../../src/manifests/pooler-settings.ts';
import { consoleReaderPassword, userList } from '../../../src/manifests/pooler-users.ts';
import { guardRules, operatorRules } from '../../../src/manifests/rbac.ts';
import { roleSecret } from '../../../src/manifests/secrets.ts';
import { clientServices, istioDestinations, istioRoutes } from '../../../src/manifests/traffic.ts';
import { declared } from './support.ts';

interface Routed {
  metadata: { name: string };
  spec: { hosts: string[]; tcp: { route: { destination: { subset: string }; weight: number }[] }[] };
}

test('writes are 100 or 0 for every route there can be, and reads add up to 100', () => {
  fc.assert(
    fc.property(fc.constantFrom<Colour>('blue', 'green'), fc.integer({ min: 0, max: 100 }), (live, canary) => {
      const [writes, reads] = istioRoutes(declared(), { live, canary, token: 1 }) as unknown as [Routed, Routed];
      expect(writes.spec.tcp[0]?.route.map(({ destination, weight }) => [destination.subset, weight])).toEqual([
        [live, 100],
      ]);
      expect(reads.spec.tcp[0]?.route.reduce((sum, { weight }) => sum + weight, 0)).toBe(100);
    }),
  );
});

test('both Services point to the live colour, and say who decided it', () => {
  for (const service of clientServices(declared(), { live: 'green', canary: 25, token: 7 })) {
    expect(service).toMatchObject({
      metadata: {
        namespace: 'shops',
        annotations: { 'verdigris.dev/live': 'green', 'verdigris.dev/canary': '25', 'verdigris.dev/token': '7' },
      },
      spec: { selector: { 'verdigris.dev/colour': 'green' } },
    });
  }
  expect(istioDestinations(declared()).map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
    'Service shop-colours',
    'DestinationRule shop-colours',
  ]);
});

test('everything is denied but the paths that are needed', () => {
  const [database, pooler] = networkPolicies(declared()) as unknown as {
    spec: { policyTypes: string[]; ingress: { ports: { port: number }[] }[]; egress: unknown[] };
  }[];
  for (const policy of [database, pooler]) expect(policy?.spec.policyTypes).toEqual(['Ingress', 'Egress']);
  expect(database?.spec.ingress.flatMap(({ ports }) => ports.map(({ port }) => port))).toEqual([5432]);
  expect(pooler?.spec.ingress.flatMap(({ ports }) => ports.map(({ port }) => port))).toEqual([6432]);
});

test('the pooler has two replicas, unprivileged, and a guard where an image of Verdigris is declared', () => {
  const pods = (guard?: Parameters<typeof poolerDeployment>[1]) =>
    (
      poolerDeployment(declared(), guard) as unknown as {
        spec: {
          replicas: number;
          template: {
            spec: { automountServiceAccountToken: boolean; containers: { name: string; securityContext: unknown }[] };
          };
        };
      }
    ).spec;
  expect(pods()).toMatchObject({
    replicas: 2,
    template: { spec: { automountServiceAccountToken: false, containers: [{ name: 'pgbouncer' }] } },
  });
  const guarded = pods({ image: 'verdigris:1', declaration: 'shop-guard', serviceAccount: 'shop-guard' }).template.spec;
  expect(guarded.containers.map(({ name }) => name)).toEqual(['pgbouncer', 'guard']);
  for (const { securityContext } of guarded.containers)
    expect(securityContext).toMatchObject({ readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
});

test('pgbouncer.ini: clients, readers and the probe have entries of their own; names that need quotes get them', () => {
  const ini = poolerSettings(declared({ pooler: { mode: 'session', poolSize: 7 } }));
  expect(ini).toContain("shop = host=shop-rw.shops.svc port=5432 dbname='shop'\nshop_ro = host=shop-ro.shops.svc");
  expect(ini).toContain('pool_mode = session\ndefault_pool_size = 7\n');
  expect(poolerSettings({ ...declared(), database: 'a b' })).toContain(
    `"a b" = host=shop-rw.shops.svc port=5432 dbname='a b'`,
  );
  expect(userList({ 'shop"app': 'p"w' }, 'c')).toBe(
    `"shop""app" "p""w"\n"verdigris_console" "c"\n"verdigris_console_reader" "${consoleReaderPassword('c')}"\n`,
  );
});

test('names and labels hold whatever a release or a role is called', () => {
  expect(labelValue('2 beta/ü!')).toBe('2_beta');
  fc.assert(
    fc.property(fc.string({ maxLength: 80 }), (text) =>
      /^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$/.test(labelValue(text)),
    ),
  );
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 63 }), (role) =>
      /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(objectNames.roleSecret('shop', role)),
    ),
  );
  expect(objectNames.roleSecret('shop', 'a_b')).not.toBe(objectNames.roleSecret('shop', 'a-b'));
  expect(commonLabels(declared(), 'pooler')).toMatchObject({
    'app.kubernetes.io/name': 'pgbouncer',
    'app.kubernetes.io/instance': 'shop',
  });
});

test("a role's Secret has an address that any driver understands", () => {
  expect(roleSecret(declared(), 'shop_app', { login: 'shop_app', password: 'p@ss/word' })).toMatchObject({
    stringData: {
      username: 'shop_app',
      dbname: 'shop',
      uri: 'postgresql://shop_app:p%40ss%2Fword@shop-pooler.shops.svc:5432/shop',
    },
  });
});

test('the guard can do nothing that the operator cannot: he could not give it to it', () => {
  for (const { apiGroups, resources, verbs } of guardRules(declared())) {
    for (const resource of resources) {
      const own = operatorRules.find((rule) => rule.apiGroups[0] === apiGroups[0] && rule.resources.includes(resource));
      expect(
        verbs.filter((verb) => !own?.verbs.includes(verb)),
        resource,
      ).toEqual([]);
    }
  }
});

test('Argo CD deletes nothing that it takes for its own by the label of an instance', () => {
  const declaration = declared({ images: { pooler: 'pgbouncer:1.24', upgrade: 'u:1', verdigris: 'v:1' }, istio: true });
  const { objects, temporary } = plannedObjects(declaration, {}, { standing: unborn(declaration) });
  const all = [
    ...Object.values({ ...objects, ...temporary }),
    ...networkPolicies(declaration),
    poolerBudget(declaration),
  ];
  expect(new Set(all.map(({ kind }) => kind))).toContain('PersistentVolumeClaim');
  for (const {
    kind,
    metadata: { name, labels, annotations },
  } of all)
    if (labels?.['app.kubernetes.io/instance'] !== undefined)
      expect(annotations, `${kind} ${name}`).toMatchObject({ 'argocd.argoproj.io/sync-options': 'Prune=false' });
});
