import { expect, test } from 'vitest';
import { operatorSecret } from '../../src/manifests/secrets.ts';
import { CloneMarks } from '../../src/platform/kubernetes/lifecycle/clone-marks.ts';
import type { PlatformClone } from '../../src/platform/port/platform.ts';
import { one } from '../../src/postgres/client.ts';
import { withPooledSession } from '../../src/postgres/session.ts';
import { withClusterEnvironment } from './support/environment.ts';

test('two throw-away environments of one environment live side by side, and the next one removes what a killed maker left', async () => {
  await withClusterEnvironment(
    {
      kubernetes: {
        pooler: { replicas: 1 },
        resources: { cpu: '10m', memory: '96Mi' },
        settings: { shared_buffers: '16MB' },
      },
      fill: async (client) =>
        void (await client.query('CREATE TABLE public.item (id int PRIMARY KEY); INSERT INTO public.item VALUES (1)')),
    },
    async ({ platform, environment, namespace: { admin } }) => {
      const { signal } = new AbortController();
      const items = (clone: PlatformClone) =>
        withPooledSession(clone.as('shop_app'), 'test', (client) =>
          one(client, 'SELECT count(*)::int AS items FROM public.item'),
        );
      const ofClones = async () =>
        (
          await Promise.all(
            (
              [
                'StatefulSet',
                'PersistentVolumeClaim',
                'Deployment',
                'Secret',
                'ConfigMap',
                'Service',
                'VolumeSnapshot',
                'NetworkPolicy',
                'Lease',
              ] as const
            ).map((kind) => admin.list(kind, { 'app.kubernetes.io/managed-by': 'verdigris' })),
          )
        )
          .flat()
          .map(({ metadata: { name } }) => name)
          .filter((name) => name.startsWith('drill-'));

      // What somebody left who was killed: a mark that nobody renews, and an object.
      const marks = new CloneMarks(platform.cluster, environment);
      (await marks.make('drill-dead')).release();
      await admin.merge('Lease', 'drill-dead', { spec: { renewTime: '2026-01-01T00:00:00.000000Z' } });
      await admin.create(
        operatorSecret({ ...environment, name: 'drill-dead' }, { operator: 'a', replication: 'b', console: 'c' }),
      );
      expect(await marks.abandoned()).toEqual(['drill-dead']);

      const [first, second] = await Promise.all([
        platform.lifecycle.clone(environment, signal),
        platform.lifecycle.clone(environment, signal),
      ]);
      expect((await ofClones()).filter((name) => name.startsWith('drill-dead'))).toEqual([]);
      expect((await marks.all()).sort()).toEqual([first.environment.name, second.environment.name].sort());
      expect(await marks.abandoned()).toEqual([]);
      await withPooledSession(first.as('shop_app'), 'test', (client) =>
        client.query('INSERT INTO public.item VALUES (2)'),
      );
      expect([await items(first), await items(second)]).toEqual([{ items: 2 }, { items: 1 }]);

      await first.destroy();
      expect(await items(second)).toEqual({ items: 1 });
      await second.destroy();
      expect(await ofClones()).toEqual([]);
    },
  );
});
