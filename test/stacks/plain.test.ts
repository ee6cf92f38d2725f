import * as pulumi from '@pulumi/pulumi';
import { expect, test } from 'vitest';
import { Environment } from '../../src/pulumi/components/environment.ts';

const made: pulumi.runtime.MockResourceArgs[] = [];
await pulumi.runtime.setMocks({
  newResource: (args) => (made.push(args), { id: args.name, state: { ...(args.inputs as object) } }),
  call: () => ({}),
});

test('drill and metrics are plain resources of their own kinds, each with a name of its own, and come after the environment', async () => {
  new Environment('shop', {
    declaration: {
      name: 'shop',
      platform: 'kubernetes',
      database: 'shop',
      roles: { application: ['app'] },
      live: 'blue',
      colours: { blue: { release: '1', postgres: 17 } },
      kubernetes: {
        images: { pooler: 'p:1', verdigris: 'v:1' },
        drill: { schedule: '0 3 * * 0' },
        metrics: { enabled: true, serviceMonitor: true, rules: true },
      },
    },
  });
  await pulumi.runtime.disconnect();
  expect(new Set(made.map(({ type }) => type))).toEqual(
    new Set([
      'verdigris:index:Environment',
      'verdigris:index:Traffic',
      'kubernetes:networking.k8s.io/v1:NetworkPolicy',
      'kubernetes:policy/v1:PodDisruptionBudget',
      'kubernetes:core/v1:ServiceAccount',
      'kubernetes:rbac.authorization.k8s.io/v1:Role',
      'kubernetes:rbac.authorization.k8s.io/v1:RoleBinding',
      'kubernetes:batch/v1:CronJob',
      'kubernetes:apps/v1:Deployment',
      'kubernetes:core/v1:Service',
      'kubernetes:monitoring.coreos.com/v1:ServiceMonitor',
      'kubernetes:monitoring.coreos.com/v1:PrometheusRule',
    ]),
  );
  expect(new Set(made.map(({ type, name }) => `${type} ${name}`)).size).toBe(made.length);
  const at = (type: string): number => made.findIndex((each) => each.type === type);
  expect(at('kubernetes:networking.k8s.io/v1:NetworkPolicy')).toBeLessThan(at('verdigris:index:Traffic'));
  expect(at('kubernetes:apps/v1:Deployment')).toBeGreaterThan(at('verdigris:index:Traffic'));
});
