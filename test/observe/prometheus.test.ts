import { expect, test } from 'vitest';
import { follow } from '../../src/delivery/follow.ts';
import { dashboard } from '../../src/metrics/dashboard.ts';
import { alertRules } from '../../src/metrics/rules.ts';
import { walkOf } from '../delivery/support.ts';
import { withEnvironment } from '../support/environment.ts';
import { withExporter } from '../support/exporter.ts';
import { withPrometheus } from '../support/prometheus.ts';
import { until } from '../support/until.ts';

interface Board {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
}

/** Only where a release that walked by itself ended otherwise than well. */
const never = ['verdigris_delivery_end_timestamp_seconds{outcome!="released"}'];

/** Each states how far back Prometheus looks: further than the test lasts. */
const ever = (expr: string): string => `count_over_time((${expr})[1h:1s])`;

/** Series that an alert is about, without the comparison that a healthy release never meets. */
const selectors = (expr: string): string[] => [...expr.matchAll(/verdigris_\w+(?:\{[^}]*\})?/g)].map(([each]) => each);

test("from a release's seed to its end Prometheus has every series that the dashboard draws and alerts watch; none fires at the end", async (context) => {
  const delivery = {
    steps: ['seed', 'migrate', 'verify', 'canary 50 %', 'pause 5s', 'switch', 'watch 5s', 'retire'],
    metrics: { lag: { ready: 'lag', interval: '1s', count: 2 } },
  };
  await withEnvironment({}, async (shop) => {
    const { platform } = shop;
    const { environment, parts } = await walkOf(shop, delivery);
    await platform.drills.record({
      ok: true,
      startedAt: new Date(Date.now() - 60_000).toISOString(),
      seconds: 30,
      proved: [],
      pauseMs: [],
    });
    await withExporter(environment, platform, async (port) =>
      withPrometheus([port], '1s', async ({ url, real }) => {
        if (!real) return context.skip('no Prometheus on this machine: VERDIGRIS_TEST_PROMETHEUS names one');
        await follow(parts, {});
        const { panels, annotations } = dashboard() as unknown as Board;
        const drawn = [...panels.flatMap(({ targets }) => targets), ...annotations.list].map(({ expr }) => expr);
        const watched = alertRules.flatMap(({ expr }) => selectors(expr)).filter((each) => !never.includes(each));
        expect(drawn.length).toBeGreaterThan(20);
        expect(watched.length).toBeGreaterThan(20);
        const empty: string[] = [];
        for (const expr of new Set([...drawn, ...watched]))
          if ((await series(url, ever(expr.replaceAll('$environment', environment.name)))).length === 0)
            empty.push(expr);
        expect(empty).toEqual([]);
        for (const { alert, expr } of alertRules)
          await until(`${alert} to be quiet`, async () => (await series(url, expr)).length === 0);
      }),
    );
  });
});

async function series(url: string, query: string): Promise<unknown[]> {
  const answer = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query }).toString()}`);
  const { status, error, data } = (await answer.json()) as {
    status: string;
    error?: string;
    data: { result: unknown[] };
  };
  expect(status, `${query}: ${error}`).toBe('success');
  return data.result;
}
