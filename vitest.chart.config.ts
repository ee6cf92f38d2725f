import { defineConfig } from 'vitest/config';
import { compiled } from './vitest.config.ts';

/** The Helm chart with the real helm, built from its Go module: `npm run test:chart`. */
export default defineConfig({
  test: { include: ['test/deploy/*.test.ts'], env: compiled, testTimeout: 60_000, maxWorkers: 1 },
});
