import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { objectNames } from '../../src/manifests/names.ts';
import { rows } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { main } from '../support/cli.ts';
import { until } from '../support/until.ts';
import { good } from '../support/verdict.ts';
import { productImage } from './support/image.ts';
import { withClusterBench } from './support/faults.ts';

test(
  'killed while the Job of a hook runs, while retire keeps an archive, and while that is restored: one Job, one archive, one environment',
  { timeout: 1_500_000 },
  async () => {
    const declaration = {
      retention: { retained: '1s', archive: { keep: 1 } },
      hooks: {
        told: {
          after: ['switch'],
          limit: '300s',
          job: { image: await productImage(), command: ['sh', '-c', 'sleep 8; echo told'] },
        },
      },
    };
    await withClusterBench({ guard: false, declaration }, async (bench) => {
      const { namespace, operators, journal, recover, on, folder } = bench;
      const { verdict } = await bench.exercise(async () => {
        for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);

        const switching = await operators.start('switch');
        const [job] = await until(
          'the Job',
          async () => {
            const jobs = await namespace.admin.list('Job', {});
            return jobs.length > 0 && jobs;
          },
          300_000,
        );
        process.kill(switching.pid, 'SIGKILL');
        expect(await switching.ended).toEqual({ how: 'killed' });
        await recover();
        await bench.harvest();
        expect(await journal()).toMatchObject({ state: 'switched', live: 'green', operation: null });
        // The same Job answers whoever goes on, and there is no second one.
        await until(
          'the hook to be told',
          async () => {
            await recover();
            return ((await journal()).outbox ?? []).length === 0;
          },
          300_000,
        );
        expect((await namespace.admin.list('Job', {})).map(({ metadata }) => metadata.uid)).toEqual([
          job?.metadata.uid,
        ]);
        expect(await namespace.admin.list('Pod', { 'job-name': job?.metadata.name ?? '' })).toHaveLength(1);

        const archived = objectNames.snapshot('shop', 'archive-1');
        const retiring = await operators.start('retire');
        await until('the snapshot', () => namespace.admin.read('VolumeSnapshot', archived), 300_000);
        process.kill(retiring.pid, 'SIGKILL');
        expect(await retiring.ended).toEqual({ how: 'killed' });
        await recover();
        const retired = await journal();
        expect(retired).toMatchObject({ state: 'single', live: 'green', operation: null });
        expect(retired.archives).toMatchObject([{ name: 'archive-1', release: '1', colour: 'blue' }]);
        expect(await bench.platform.servers.snapshots()).toEqual(['archive-1']);
      });
      expect(verdict).toMatchObject(good);
      const accounts = await on('green', (client) => rows(client, 'SELECT count(*)::int AS n FROM workload.account'));

      const kubeconfig = path.join(folder, 'kubeconfig');
      await writeFile(kubeconfig, namespace.operator.exportConfig());
      const declared = path.join(folder, 'declaration.json');
      const restore = () =>
        execa(
          process.execPath,
          [main, 'archives', '--file', declared, '--restore', 'archive-1', '--as', 'shop-old', '--json'],
          { env: { KUBECONFIG: kubeconfig }, reject: false },
        );
      const restoring = restore();
      await until('its server', () => namespace.admin.read('StatefulSet', 'shop-old-blue'), 120_000);
      restoring.kill('SIGKILL');
      await restoring;
      const again = await restore();
      expect(again.exitCode, again.stdout).toBe(0);
      const old = bench.platform.sibling({ ...bench.environment, name: 'shop-old' });
      try {
        const login = { ...(await old.servers.connection('blue')), database: 'shop' };
        expect(
          await withClient(login, 'test', (client) => rows(client, 'SELECT count(*)::int AS n FROM workload.account')),
        ).toEqual(accounts);
      } finally {
        await old.close();
      }
    });
  },
);
