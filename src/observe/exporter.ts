import type { Environment } from '../model/environment.ts';
import { readStatus } from '../operations/reads/status.ts';
import type { Platform } from '../platform/port/platform.ts';
import { measure } from './metrics.ts';
import { serveRunbook } from './runbook.ts';
import { serveHttp, type ServeOptions } from './serve.ts';

/**
 * The metrics as of now, in Prometheus' text format. Never fails: what cannot be read is missing, and
 * `verdigris_observed` says so.
 */
export async function metricsText(
  environment: Environment,
  platform: Platform,
): Promise<{ readonly type: string; readonly text: string }> {
  const [status, drill] = await Promise.all([
    readStatus(environment, platform).catch(() => undefined),
    platform.drills
      .list()
      .then((all) => all.at(-1))
      .catch(() => undefined),
  ]);
  const registry = measure(environment, status, drill);
  return { type: registry.contentType, text: await registry.metrics() };
}

/**
 * Serves `/metrics`, the pages of the alerts under `/docs/`, and `/healthz` for probes, until the signal. One look at a
 * time: scrapes that come meanwhile share it.
 */
export async function serveMetrics(environment: Environment, platform: Platform, options: ServeOptions): Promise<void> {
  let looking: ReturnType<typeof metricsText> | undefined;
  await serveHttp((request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405).end();
    if (request.url === '/healthz') return void response.end('ok\n');
    if (serveRunbook(request.url ?? '', response)) return;
    if (request.url !== '/metrics') return void response.writeHead(404).end();
    looking ??= metricsText(environment, platform).finally(() => (looking = undefined));
    void looking.then(
      ({ type, text }) => response.setHeader('content-type', type).end(text),
      () => response.writeHead(500).end(),
    );
  }, options);
}
