import type { Environment } from '../../src/model/environment.ts';
import { serveMetrics } from '../../src/observe/exporter.ts';
import type { Platform } from '../../src/platform/port/platform.ts';

/** The exporter of an environment at a free port of this machine, as long as `use` takes. */
export async function withExporter(
  environment: Environment,
  platform: Platform,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const end = new AbortController();
  const listening = Promise.withResolvers<number>();
  const serving = serveMetrics(environment, platform, {
    host: '127.0.0.1',
    port: 0,
    signal: end.signal,
    onListening: listening.resolve,
  });
  void serving.catch(listening.reject);
  try {
    await use(await listening.promise);
  } finally {
    end.abort();
    await serving;
  }
}
