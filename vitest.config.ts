import { existsSync, statfsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** What Node compiled is kept: half of what a process of ours costs is its loading, and tests start hundreds. */
export const compiled = {
  NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/verdigris', import.meta.url)),
};

const memory = '/dev/shm';

/** Bytes that the servers of all workers may need at a time, with room to spare. */
const room = 10e9;

function hasRoom(): boolean {
  if (!existsSync(memory)) return false;
  const { bavail, bsize } = statfsSync(memory);
  return bavail * bsize > room;
}

/** Servers of tests start and end hundreds of times: in memory where there is room and nobody named a folder. */
export const env = {
  ...compiled,
  ...(process.env['TMPDIR'] === undefined && hasRoom() ? { TMPDIR: memory } : {}),
};

/**
 * On a machine that is shared a server may take longer to start than a wait allows: in CI a second try tells that from
 * a defect, and what failed at first is printed.
 */
export const tries = process.env['CI']
  ? { retry: 1, reporters: ['default', fileURLToPath(new URL('test/support/retried.ts', import.meta.url))] }
  : {};

/** Three on two cores: a test waits for its servers half of the time, and a fourth worker makes those time out. */
export const workers = Math.ceil(availableParallelism() * 1.5);

/**
 * An operator killed between any two entries of its journal, every act of the adversary beside each verb, lost servers
 * and storage put back at each state, each advice of an error's page followed, fleets, whole lives by the command line,
 * and releases in a row: `npm run test:chains`.
 */
export const chains = [
  'adversary/databases',
  'adversary/full-disk',
  'adversary/held',
  'adversary/matrix',
  'adversary/proofs',
  'adversary/routers',
  'adversary/surroundings',
  'adversary/walk',
  'cli/fleet',
  'cli/life',
  'cli/release',
  'cli/repairs',
  'delivery/asleep',
  'delivery/kills',
  'external/command',
  'external/databases',
  'external/kills',
  'external/network',
  'external/part',
  'external/part-beside',
  'external/pgbouncer',
  'external/prepared-release',
  'external/release',
  'external/rotate',
  'external/routers',
  'external/routers-tls',
  'external/standby',
  'faults/kill-*',
  'faults/kills',
  'faults/network',
  'faults/no-secret-around',
  'faults/servers',
  'faults/stranded',
  'faults/tool-at-switchover',
  'faults/verbs',
  'migrations/shapes/foreseen',
  'migrations/shapes/property',
  'operations/verbs/backfill',
  'operations/verbs/backfill-kills',
  'operations/gates/put-back',
  'operations/resting',
  'operations/verbs/rotate-in-release',
  'operations/verbs/seal',
  'postgres/traps-looks',
  'postgres/traps-part',
  'postgres/traps-verbs',
  'releases/chinook',
  'releases/recipes',
  'releases/three-releases',
].map((name) => `test/${name}.test.ts`);

/**
 * Files that take ten seconds or more each, because they walk a whole release, wait for what takes its time
 * (retained WAL, clones) or begin a process for each of many commands: `npm run test:long`. A fast case of what
 * they show is in `npm test`.
 */
export const long = [
  'adversary/adversary',
  'adversary/sample',
  'cli/example',
  'cli/follow',
  'cli/outlive',
  'cli/preflight',
  'cli/questions',
  'cli/terminal',
  'cli/upgrade',
  'delivery/follow',
  'delivery/analysis/mirror',
  'delivery/rolled-back',
  'delivery/stopped',
  'external/abandon',
  'external/addresses',
  'external/managed',
  'external/order',
  'external/prepared',
  'external/rights',
  'faults/causes',
  'faults/clones',
  'faults/deadman',
  'faults/hung',
  'faults/migrate',
  'faults/path',
  'faults/no-secret-written',
  'faults/position',
  'faults/replication',
  'faults/router',
  'faults/seed',
  'faults/signals',
  'faults/switch',
  'faults/switched',
  'migrations/shapes/agreement',
  'operations/databases',
  'observe/exporter',
  'observe/flags',
  'observe/prometheus',
  'operations/verbs/abandon',
  'operations/birth',
  'operations/copied-databases',
  'operations/birth-switched',
  'operations/gates/compatibility',
  'operations/verbs/data-forms',
  'operations/verbs/data-places',
  'operations/verbs/data-statements',
  'operations/database-settings',
  'operations/proofs/drill',
  'operations/flags/stores',
  'operations/engine/wish',
  'operations/folder',
  'operations/globals',
  'operations/hooks/order',
  'operations/hooks',
  'operations/older-journal',
  'operations/own-schema',
  'operations/reads/locked',
  'operations/retained',
  'operations/verbs/left-rows',
  'operations/verbs/rotate',
  'operations/verbs/rotate-declared',
  'operations/verbs/verify-in-canary',
  'operations/snapshots',
  'operations/transaction-ids',
  'operations/untried',
  'package/pack',
  'platform/routers/traffic',
  'postgres/compare/property',
  'postgres/logical-seed/majors',
  'postgres/logical-seed/tables',
  'postgres/seal/every',
  'postgres/stream/publication',
  'postgres/traps',
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
    maxWorkers: workers,
    // A worker goes on with the next file: a process for each costs a third of the run. `test/docs/shared-process.test.ts`
    // holds that a file leaves nothing behind in it.
    isolate: false,
    ...tries,
  },
});
