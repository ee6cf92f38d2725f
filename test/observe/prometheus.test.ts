import { expect, test } from 'vitest';
import { dashboard } from '../../src/metrics/dashboard.ts';
import { alertRules } from '../../src/metrics/rules.ts';
import { serveMetrics } from '../../src/observe/exporter.ts';
import { withEnvironment } from '../support/environment.ts';
import { withPrometheus } from '../support/prometheus.ts';
import { until } from '../support/until.ts';

interface Panels {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
}

/** Nothing was drilled, nothing is under way, and what was switched has no candidate any more. */
const empty = ['Last drill passed', 'Since the last drill', 'Operation under way', 'Since the candidate was compared'];

test('a real Prometheus understands every query of the dashboard and of the alerts, and has what they ask for of a release that was switched', async (context) => {
  await withEnvironment({}, async ({ environment, platform, verb }) => {
    const end = new AbortController();
    const listening = Promise.withResolvers<number>();
    const serving = serveMetrics(environment, platform, {
      host: '127.0.0.1',
      port: 0,
      signal: end.signal,
      onListening: listening.resolve,
    });
    await withPrometheus([await listening.promise], async ({ url, real }) => {
      if (!real) return context.skip('no Prometheus on this machine: VERDIGRIS_TEST_PROMETHEUS names one');
      let named = '';
      const series = async (expr: string): Promise<unknown[]> => {
        const query = new URLSearchParams({ query: expr.replaceAll('$environment', named) });
        const answer = await fetch(`${url}/api/v1/query?${query.toString()}`);
        const { status, error, data } = (await answer.json()) as {
          status: string;
          error?: string;
          data: { result: unknown[] };
        };
        expect(status, `${expr}: ${error}`).toBe('success');
        return data.result;
      };
      const live = async (colour: string): Promise<unknown> =>
        until(`${colour} live`, async () => (await series(`verdigris_live{colour="${colour}"} == 1`)).length > 0);
      for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
      await live('blue');
      await verb('switch');
      await live('green');
      const [observed] = (await series('verdigris_observed')) as { metric: { environment: string } }[];
      named = observed?.metric.environment ?? '';
      const { panels, annotations } = dashboard() as unknown as Panels;
      const lacking = async (): Promise<string[]> => {
        const found: string[] = [];
        for (const { title, targets } of panels)
          for (const { expr } of targets) if ((await series(expr)).length === 0) found.push(title);
        return found;
      };
      // The stream that runs the other way is measured once it has answered.
      await expect.poll(lacking, { timeout: 30_000 }).toEqual(empty);
      for (const { expr } of annotations.list) expect(await series(expr), expr).toHaveLength(1);
      for (const { expr } of alertRules) await series(expr);
    });
    end.abort();
    await serving;
  });
});
