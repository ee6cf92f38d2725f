import { defineConfig } from 'vitest/config';
import { env, tries } from './vitest.config.ts';

/** Pages in a real Chromium, `/usr/bin/chromium` or CHROMIUM: `npm run test:browser`. It fails where there is none. */
export default defineConfig({
  test: {
    include: ['test/browser/*.test.ts'],
    env,
    testTimeout: 400_000,
    hookTimeout: 60_000,
    maxWorkers: 1,
    ...tries,
  },
});
