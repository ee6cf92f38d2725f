import { expect, test } from 'vitest';
import { declaredJob } from '../../src/manifests/job.ts';
import { containerSecurity, podSecurity } from '../../src/manifests/security.ts';
import { jobSchema } from '../../src/model/job.ts';
import { parseEnvironment } from '../../src/model/environment.ts';
import { declared } from '../pulumi/components/support.ts';

const job = jobSchema.parse({ image: 'smoke:1', command: ['./smoke'] });

test('a declared Job runs once, restricted and without rights; asked again for the same event it is the same one', () => {
  const made = (id: string, more: object = {}) =>
    declaredJob(declared({}), id, { ...job, ...more }, { VERDIGRIS_EVENT: '{}' }, 1_500);
  expect(made('one')).toMatchObject({
    kind: 'Job',
    spec: {
      backoffLimit: 0,
      activeDeadlineSeconds: 2,
      template: {
        spec: {
          automountServiceAccountToken: false,
          securityContext: podSecurity,
          containers: [{ securityContext: containerSecurity, env: [{ name: 'VERDIGRIS_EVENT', value: '{}' }] }],
        },
      },
    },
  });
  expect(made('one').metadata.name).toBe(made('one').metadata.name);
  expect(made('two').metadata.name).not.toBe(made('one').metadata.name);
  expect(JSON.stringify(made('one', { serviceAccount: 'smoke', envFrom: 'secrets' }))).toContain(
    '"envFrom":[{"secretRef":{"name":"secrets"}}]',
  );
});

test('on the platform local a Job, a ConfigMap and an archive are refused by name', () => {
  const local = {
    name: 'shop',
    platform: 'local',
    database: 'shop',
    roles: { application: ['app'] },
    colours: { blue: { release: '1', postgres: 17 } },
    live: 'blue',
    hooks: { smoke: { before: ['switch'], job } },
    delivery: { metrics: { smoke: { job } } },
    flagStores: { mounted: { configMap: { name: 'flags', key: 'flags.json' } } },
    retention: { archive: { keep: 2 } },
  };
  for (const path of [
    'hooks.smoke.job: is a Job of a cluster',
    'delivery.metrics.smoke.job: is a Job of a cluster',
    'flagStores.mounted.configMap: is a ConfigMap of a cluster',
    'retention.archive: is a VolumeSnapshot of a cluster',
  ])
    expect(() => parseEnvironment(local, 'the test')).toThrow(path);
});
