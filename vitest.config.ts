import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** What Node compiled is kept: half of what a process of ours costs is its loading, and tests start hundreds. */
export const env = { NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/verdigris', import.meta.url)) };

/**
 * An operator killed between any two entries of its journal, and every act of the adversary beside each verb: `npm run
 * test:chains`.
 */
export const chains = [
  'test/external/network.test.ts',
  'test/faults/kill-*.test.ts',
  'test/delivery/kills.test.ts',
  'test/operations/backfill-kills.test.ts',
  'test/adversary/matrix.test.ts',
  'test/adversary/surroundings.test.ts',
];

/**
 * Files that take half a minute or more each, because they wait for what takes its time (lost servers, retained WAL,
 * clones) or begin a process for each of many commands: `npm run test:long`. What they repeat under a fault, files of
 * `npm test` show without it.
 */
export const long = [
  'adversary/full-disk',
  'adversary/proofs',
  'cli/example',
  'cli/life',
  'cli/outlive',
  'cli/preflight',
  'cli/questions',
  'cli/release',
  'delivery/mirror',
  'cli/repairs',
  'delivery/rolled-back',
  'delivery/stopped',
  'external/managed',
  'external/release',
  'external/rotate',
  'faults/causes',
  'faults/clones',
  'faults/deadman',
  'faults/kills',
  'faults/migrate',
  'faults/network',
  'faults/position',
  'faults/replication',
  'faults/router',
  'faults/seed',
  'faults/servers',
  'faults/signals',
  'faults/stranded',
  'faults/switched',
  'faults/verbs',
  'faults/no-secret-written',
  'migrations/shapes/property',
  'operations/backfill',
  'operations/compatibility',
  'operations/data-statements',
  'operations/drill',
  'operations/flag-stores',
  'operations/hooks',
  'operations/resting',
  'operations/retained',
  'operations/rotate-in-release',
  'operations/seal',
  'postgres/compare/property',
  'postgres/logical-seed/majors',
  'postgres/logical-seed/tables',
  'releases/three-releases',
  'scripts/new',
].map((name) => `test/${name}.test.ts`);

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // The cluster's tests and those of other makers' migration tools have commands of their own: they need more than
    // Node.
    exclude: [
      'test/e2e/**',
      'test/deploy/**',
      'test/browser/**',
      'test/bench/**',
      'test/migrations/tools/**',
      'test/secrets/**',
      ...chains,
      ...long,
    ],
    env,
    unstubEnvs: true,
    testTimeout: 300_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    // On a machine that is shared a server may take longer to start than a wait allows: a second try tells that from a
    // defect, and is shown.
    retry: process.env['CI'] ? 1 : 0,
  },
});
