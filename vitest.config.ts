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
  'test/releases/chinook.test.ts',
  'test/releases/recipes.test.ts',
  'test/adversary/matrix.test.ts',
  'test/adversary/surroundings.test.ts',
];

/**
 * Files that take a quarter of a minute or more each, because they wait for what takes its time (lost servers, retained
 * WAL, clones) or begin a process for each of many commands: `npm run test:long`. A fast case of what they show is in
 * `npm test`.
 */
export const long = [
  'adversary/full-disk',
  'adversary/proofs',
  'cli/example',
  'adversary/sample',
  'cli/fleet',
  'cli/life',
  'cli/outlive',
  'cli/preflight',
  'cli/questions',
  'cli/release',
  'cli/repairs',
  'cli/terminal',
  'delivery/mirror',
  'delivery/rolled-back',
  'delivery/stopped',
  'external/managed',
  'external/release',
  'external/rotate',
  'faults/causes',
  'faults/clones',
  'faults/deadman',
  'faults/hung',
  'faults/kills',
  'faults/migrate',
  'faults/network',
  'faults/no-secret-written',
  'faults/position',
  'faults/replication',
  'faults/router',
  'faults/seed',
  'faults/servers',
  'faults/signals',
  'faults/stranded',
  'faults/switch',
  'faults/switched',
  'faults/verbs',
  'migrations/shapes/property',
  'observe/flags',
  'operations/abandon',
  'operations/backfill',
  'operations/birth-switched',
  'operations/compatibility',
  'operations/data-statements',
  'operations/drill',
  'operations/flag-stores',
  'operations/folder',
  'operations/hooks',
  'operations/resting',
  'operations/retained',
  'operations/rotate-in-release',
  'operations/seal',
  'operations/snapshots',
  'operations/untried',
  'package/pack',
  'postgres/compare/property',
  'postgres/logical-seed/majors',
  'postgres/logical-seed/tables',
  'postgres/seal/every',
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
      'test/flags/**',
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
