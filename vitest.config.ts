import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** What Node compiled is kept: half of what a process of ours costs is its loading, and tests start hundreds. */
export const env = { NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/verdigris', import.meta.url)) };

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // The cluster's tests and those of other makers' migration tools have commands of their own: they need more than Node. So have
    // the chains of kills at every entry of the journal, which take as long as all the rest: kills.test.ts kills each verb twice,
    // and a backfill's 26 random ones.
    exclude: [
      'test/e2e/**',
      'test/bench/**',
      'test/migrations/tools/**',
      'test/faults/kill-*.test.ts',
      'test/operations/backfill-kills.test.ts',
    ],
    env,
    testTimeout: 300_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    // On a machine that is shared a server may take longer to start than a wait allows: a second try tells that from a defect, and is shown.
    retry: process.env['CI'] ? 1 : 0,
  },
});
