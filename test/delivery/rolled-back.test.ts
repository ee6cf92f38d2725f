import { expect, test } from 'vitest';
import { follow } from '../../src/delivery/follow.ts';
import { readStatus } from '../../src/operations/reads/status.ts';
import { withEnvironment } from '../support/environment.ts';
import { withExporter } from '../support/exporter.ts';
import { failure } from '../support/failure.ts';
import { withPrometheus } from '../support/prometheus.ts';
import { good } from '../support/verdict.ts';
import { recordOf, walkOf, withSoftware } from './support.ts';

test('software that fails after the switchover is rolled back by itself, once and losing nothing, by what Prometheus scrapes', async () => {
  await withEnvironment({}, async (test) => {
    await withExporter(test.environment, test.platform, async (exporter) =>
      withSoftware(test.platform, async (software) =>
        withPrometheus([exporter, software], '200ms', async ({ url }) => {
          const often = { interval: '300ms', inconclusiveLimit: 100 };
          const { environment, parts, notes } = await walkOf(test, {
            steps: [
              'seed',
              'migrate',
              'verify',
              { step: 'analysis', metrics: ['errors', 'wayback', 'lag'] },
              'switch',
              { step: 'watch 5m', metrics: ['errors', 'wayback', 'gone'] },
              'retire',
            ],
            metrics: {
              errors: {
                prometheus: { url, query: 'shop_error_ratio' },
                success: '< 0.01',
                failure: '>= 0.05',
                ...often,
              },
              wayback: { prometheus: { url, query: 'verdigris_observed' }, success: '= 1', ...often },
              gone: { prometheus: { url, query: 'nobody_has_this' }, success: '= 1', ...often },
              lag: { ready: 'lag', ...often },
            },
          });
          const { verdict } = await test.clients(async (workload) => {
            expect((await failure(follow(parts, {}))).seen).toMatch(
              /release 2 was rolled back .+ errors: shop_error_ratio = 0\.2/,
            );
            // Asked again it does nothing: never twice.
            expect(await failure(follow(parts, {}))).toMatchObject({ id: 'delivery-stopped' });
            const { acknowledged } = workload.stats();
            await workload.until((stats) => stats.acknowledged > acknowledged + 100, 30_000);
          });
          expect(verdict).toMatchObject(good);
          expect(test.commits.map(({ to }) => to)).toEqual(['green', 'blue']);
          expect(await readStatus(environment, test.platform)).toMatchObject({
            state: 'migrated',
            live: 'blue',
            delivery: { ended: { outcome: 'rolled back' } },
          });
          expect((await recordOf(test)).verdicts.at(-1)).toMatchObject({
            step: 'watch 5m',
            verdict: 'failure',
            metrics: { errors: { failure: 1, value: 0.2 }, gone: { success: 0, failure: 0 } },
          });
          expect(notes().some((text) => text.startsWith('gone: inconclusive: nobody_has_this gives 0 series'))).toBe(
            true,
          );
        }),
      ),
    );
  });
});
