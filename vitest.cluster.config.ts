import { defineConfig } from 'vitest/config';

/** Tests on a real cluster, by KUBECONFIG: `npm run test:cluster`. One after the other: they share two colours' worth of machine. */
export default defineConfig({
  test: {
    include: ['test/e2e/**/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 300_000,
    fileParallelism: false,
    maxWorkers: 1,
  },
});
