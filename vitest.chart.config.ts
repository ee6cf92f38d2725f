import { defineConfig } from 'vitest/config';
import { env } from './vitest.config.ts';

/** The Helm chart with the real helm: `npm run test:chart`. It fails where there is none. */
export default defineConfig({ test: { include: ['test/deploy/*.test.ts'], env, testTimeout: 60_000, maxWorkers: 1 } });
