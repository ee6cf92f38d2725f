import { defineConfig } from 'vitest/config';
import { chains, env } from './vitest.config.ts';

/** An operator killed between any two entries of its journal, for every verb: hundreds of processes live and die. */
export default defineConfig({
  test: {
    include: chains,
    env,
    testTimeout: 1_500_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
});
