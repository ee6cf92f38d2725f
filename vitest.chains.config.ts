import { defineConfig } from 'vitest/config';

/** An operator killed between any two entries of its journal, and images of a server under load: many minutes. */
export default defineConfig({
  test: { include: ['test/faults/kill-*.test.ts', 'test/faults/seed.test.ts'], testTimeout: 1_800_000, hookTimeout: 120_000, maxWorkers: 1 },
});
