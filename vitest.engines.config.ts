import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { env, tries } from './vitest.config.ts';

/** Migration engines, SOPS and what reads flag files, with the real tools: Java, Maven, Go and npm fetch them. */
export default defineConfig({
  test: {
    include: ['test/migrations/tools/*.test.ts', 'test/secrets/*.test.ts', 'test/flags/*.test.ts'],
    // The name by which programs import the components, of the package that is not built here.
    alias: { 'verdigris/pulumi': fileURLToPath(new URL('src/pulumi/components/index.ts', import.meta.url)) },
    env,
    testTimeout: 300_000,
    hookTimeout: 600_000,
    maxWorkers: 2,
    ...tries,
  },
});
