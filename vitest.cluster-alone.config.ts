import { defineConfig } from 'vitest/config';
import { compiled } from './vitest.config.ts';

/** Tests that stop parts of the test cluster, which nothing else may use meanwhile: `npm run test:cluster:all`. */
export default defineConfig({
  test: {
    env: compiled,
    include: ['test/e2e/alone/*.test.ts'],
    testTimeout: 1_800_000,
    hookTimeout: 300_000,
    fileParallelism: false,
    maxWorkers: 1,
  },
});
