import { defineConfig } from 'vitest/config';
import { env, long, tries, workers } from './vitest.config.ts';

/** What takes minutes: `npm run test:long`, and with everything else that needs no cluster `npm run test:all`. */
export default defineConfig({
  test: {
    include: long,
    env,
    unstubEnvs: true,
    testTimeout: 600_000,
    hookTimeout: 120_000,
    maxWorkers: workers,
    isolate: false,
    ...tries,
  },
});
