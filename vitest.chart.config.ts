import { defineConfig } from 'vitest/config';
import { env } from './vitest.config.ts';

/** The Helm chart with the real helm, built from its Go module: `npm run test:chart`. */
export default defineConfig({ test: { include: ['test/deploy/*.test.ts'], env, testTimeout: 60_000, maxWorkers: 1 } });
