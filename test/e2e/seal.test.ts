import { execa } from 'execa';
import { expect, test } from 'vitest';
import { declarationFile, declarationJson } from '../../src/manifests/declaration.ts';
import { objectNames } from '../../src/manifests/names.ts';
import type { Stored } from '../../src/platform/kubernetes/cluster.ts';
import { until } from '../support/until.ts';
import { withClusterBench } from './support/faults.ts';

type JobObject = Stored & { readonly status?: { readonly succeeded?: number; readonly failed?: number } };

test('who may change the ConfigMaps alone has nothing run by a drill: it refuses what the Secret has no digest of', async () => {
  await withClusterBench(
    { guard: true, kubernetes: { drill: { schedule: '0 4 1 1 *' } } },
    async ({ namespace, raw }) => {
      const { admin, name } = namespace;
      const evil = { ...(raw as object), hooks: { climb: { before: ['seed'], command: ['/bin/sh', '-c', 'env'] } } };
      await admin.merge('ConfigMap', objectNames.declaration('shop'), {
        data: { [declarationFile]: declarationJson(evil) },
      });
      await execa('kubectl', ['create', 'job', '--namespace', name, '--from=cronjob/shop-drill', 'now']);
      const job = await until(
        'the end of the drill',
        async () => {
          const { status } = (await admin.read<JobObject>('Job', 'now')) ?? {};
          return status?.succeeded || status?.failed ? status : undefined;
        },
        300_000,
      );
      const { stdout } = await execa('kubectl', ['logs', '--namespace', name, '--tail=30', 'job/now']);
      expect(job, stdout).toMatchObject({ failed: 1 });
      expect(stdout).toContain('declaration-unsealed');
      expect(stdout).not.toContain('password');
    },
  );
});
