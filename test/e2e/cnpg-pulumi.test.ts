import * as kubernetes from '@pulumi/kubernetes';
import { beforeAll, expect, test } from 'vitest';
import type { Manifest } from '../../src/manifests/manifest.ts';
import type { CnpgCluster } from '../../src/platform/cnpg/objects.ts';
import { clusterOf, operatorUp, withCnpg } from './support/cnpg.ts';
import { openStack, withBackend } from './support/stack.ts';

beforeAll(operatorUp, 300_000);

test('Clusters that a Pulumi program keeps go through a release and back: it finds nothing to change, and its own changes go on', async () => {
  await withBackend(async (folder) => {
    let declared: readonly Manifest[] = [];
    let namespace = '';
    const settings: Record<string, string> = {};
    const stack = await openStack(folder, 'dev', () => {
      for (const { apiVersion, kind, metadata, spec } of declared) {
        const { postgresql, ...rest } = spec as { postgresql: { parameters: Record<string, string> } };
        const parameters = { ...postgresql.parameters, ...settings };
        new kubernetes.apiextensions.CustomResource(metadata.name, {
          ...{ apiVersion, kind, metadata: { name: metadata.name, namespace } },
          spec: { ...rest, postgresql: { ...postgresql, parameters } },
        });
      }
      return Promise.resolve({});
    });
    /** The program's two Clusters, and the stack itself. */
    const unchanged = { same: 3 };
    const make = async (manifests: readonly Manifest[], name: string): Promise<void> => {
      [declared, namespace] = [manifests, name];
      await stack.up();
    };
    await withCnpg(
      async ({ verb, load, admin, healthy }) => {
        const generations = async () =>
          Promise.all(
            (['blue', 'green'] as const).map(
              async (colour) => (await admin.read<CnpgCluster>('Cluster', clusterOf(colour)))?.metadata.generation,
            ),
          );
        const before = await generations();
        const { verdict } = await load(30, async (workload) => {
          const more = async (): Promise<void> => {
            const { acknowledged } = workload.stats();
            await workload.until((stats) => stats.acknowledged > acknowledged + 100, 60_000);
          };
          for (const each of ['seed', 'migrate', 'verify', 'switch'] as const) await verb(each);
          await more();
          expect(await generations()).toEqual(before);
          expect((await stack.preview()).changeSummary).toEqual(unchanged);
          expect((await stack.up()).summary.resourceChanges).toEqual(unchanged);
          expect(await generations()).toEqual(before);

          // A change of the owner's, while green is live and blue is kept for the way back.
          settings['log_min_duration_statement'] = '5s';
          expect((await stack.up()).summary.resourceChanges).toEqual({ same: 1, update: 2 });
          for (const colour of ['blue', 'green'] as const) await healthy(colour);
          await more();
          for (const each of ['rollback', 'verify', 'switch', 'retire'] as const) await verb(each);
          await more();
          expect((await stack.up()).summary.resourceChanges).toEqual(unchanged);
        });
        expect(verdict).toMatchObject({
          ok: true,
          lost: { count: 0 },
          doubled: { count: 0 },
          wrongColour: { count: 0 },
        });
      },
      { make },
    );
  });
});
