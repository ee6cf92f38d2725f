import { expect, test } from 'vitest';
import { deliveryManifests } from '../../src/manifests/delivery.ts';
import { fixedManifests } from '../../src/manifests/fixed.ts';
import { operatorRules } from '../../src/manifests/rbac.ts';
import { containerSecurity, podSecurity } from '../../src/manifests/security.ts';
import { declared } from '../pulumi/components/support.ts';

const images = { pooler: 'pgbouncer:1.24', verdigris: 'verdigris:0.1.0' };
const delivery = { controller: true, steps: ['seed', 'migrate', 'verify', 'switch'] };

test('controllers are a Deployment of two with a role of their own, which reaches the servers as an operator does; none where it is not declared', () => {
  expect(fixedManifests(declared({ images })).filter(({ metadata: { name } }) => name === 'shop-delivery')).toEqual([]);
  const environment = declared({ images }, { delivery });
  const made = deliveryManifests(environment);
  expect(made.map(({ kind, metadata: { name } }) => `${kind} ${name}`)).toEqual([
    'ServiceAccount shop-delivery',
    'Role shop-delivery',
    'RoleBinding shop-delivery',
    'Deployment shop-delivery',
  ]);
  expect(fixedManifests(environment)).toEqual(expect.arrayContaining(made));
  expect(made[3]?.['spec']).toMatchObject({
    replicas: 2,
    template: {
      metadata: { labels: { 'verdigris.dev/operator': 'true', 'app.kubernetes.io/component': 'delivery' } },
      spec: {
        serviceAccountName: 'shop-delivery',
        securityContext: podSecurity,
        containers: [
          {
            image: 'verdigris:0.1.0',
            securityContext: containerSecurity,
            command: expect.arrayContaining(['release', '--follow', '--forever']),
          },
        ],
      },
    },
  });
});

test('the operator can grant what the controllers may: he has each of their rights himself', () => {
  const role = deliveryManifests(declared({ images }, { delivery }))[1] as unknown as { rules: typeof operatorRules };
  for (const { apiGroups, resources, verbs } of role.rules)
    for (const resource of resources)
      for (const verb of verbs)
        expect(
          operatorRules.some(
            (own) =>
              own.apiGroups.includes(apiGroups[0] ?? '') &&
              own.resources.includes(resource) &&
              own.verbs.includes(verb),
          ),
          `${verb} ${resource}`,
        ).toBe(true);
});

test('a controller without its image, or without steps, is a fault of the declaration', () => {
  expect(() => declared({}, { delivery })).toThrow('delivery.controller: needs kubernetes.images.verdigris');
  expect(() => declared({ images }, { delivery: { controller: true } })).toThrow('delivery.steps has none');
});
