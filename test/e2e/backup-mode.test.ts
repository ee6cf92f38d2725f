import { expect, test } from 'vitest';
import { one, rows } from '../../src/postgres/client.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { withClusterEnvironment } from './support/environment.ts';

/** How torn images become exact is shown with more of them, and without a cluster, by backup-images. */
const images = 2;

test(`${images} images in backup mode under load, each exact, and a release from the last of them`, async () => {
  await withClusterEnvironment(
    {
      kubernetes: { snapshots: 'backup', pooler: { replicas: 1 } },
      fill: async (client) =>
        void (await client.query(
          'CREATE TABLE public.bulk (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text NOT NULL)',
        )),
    },
    async ({ verb, clients, platform, on, namespace: { admin } }) => {
      const { verdict } = await clients(async (workload) => {
        let stop = false;
        // Segments fill and pages are torn while the images are made.
        const bulk = on('blue', async (client) => {
          await client.query('SET synchronous_commit = off');
          while (!stop)
            await client.query(
              'INSERT INTO public.bulk (text) SELECT repeat(md5(n::text), 4) FROM generate_series(1, 200) n; SELECT pg_sleep(0.05)',
            );
        });
        try {
          for (let image = 1; image <= images; image++) {
            await verb('seed');
            expect((await readJournal(platform.journal)).release?.seed.method).toBe('copy');
            expect(await admin.list('VolumeSnapshot', {})).toEqual([]);
            expect(
              (await admin.list('PersistentVolumeClaim', {}))
                .map(({ metadata }) => metadata.name)
                .filter((name) => name.endsWith('-log')),
            ).toEqual([]);
            await verb('migrate');
            // Every row of every table, both ways: one lost or one doubled is a difference, a doubled one stops apply
            // besides.
            await verb('verify');
            if (image < images) await verb('abandon');
          }
          const { acknowledged } = workload.stats();
          await workload.until((stats) => stats.acknowledged > acknowledged + 50, 60_000);
        } finally {
          stop = true;
          await bulk;
        }
        await verb('switch');
      });
      expect(verdict).toMatchObject({ ok: true });
      const total =
        'SELECT count(*)::int AS count, coalesce(sum(hashtextextended(text, id)), 0)::text AS digest FROM public.bulk';
      expect(await on('green', (client) => one(client, total))).toEqual(
        await on('blue', (client) => one(client, total)),
      );
      await verb('retire');
      expect(await on('green', (client) => rows(client, 'SELECT slot_name FROM pg_replication_slots'))).toEqual([]);
      expect((await admin.list('PersistentVolumeClaim', {})).length).toBe(1);
      expect(await admin.list('VolumeSnapshot', {})).toEqual([]);
    },
  );
});
