import type { Environment } from '../../src/model/environment.ts';
import { serveDashboard } from '../../src/observe/dashboard/server.ts';
import { Watcher } from '../../src/observe/dashboard/watcher.ts';
import { readingPlatform } from '../../src/observe/reading.ts';
import type { Platform } from '../../src/platform/port/platform.ts';

/** The dashboard of one environment for the length of `use`, as `verdigris dashboard` serves it. */
export async function withDashboard(
  environment: Environment,
  platform: Platform,
  use: (address: string) => Promise<void>,
): Promise<void> {
  const end = new AbortController();
  const listening = Promise.withResolvers<number>();
  const watcher = new Watcher(environment.name, () =>
    Promise.resolve({ environment, platform: readingPlatform(platform) }),
  );
  const serving = serveDashboard([watcher], {
    host: '127.0.0.1',
    port: 0,
    signal: end.signal,
    onListening: listening.resolve,
  });
  try {
    await use(`http://127.0.0.1:${await listening.promise}`);
  } finally {
    end.abort();
    await serving;
  }
}
