import { defineConfig } from 'vitest/config';
import { env } from './vitest.config.ts';

/** Migration engines with the real tools: Java, Maven and npm fetch them. */
export default defineConfig({
  test: {
    include: ['test/migrations/tools/*.test.ts'],
    env,
    testTimeout: 300_000,
    hookTimeout: 600_000,
    maxWorkers: 2,
    retry: process.env['CI'] ? 1 : 0,
  },
});
