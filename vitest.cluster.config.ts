import { defineConfig } from 'vitest/config';
import { compiled, tries } from './vitest.config.ts';

/**
 * Files that take minutes each and repeat a promise under one more fault or one more way of asking: in `npm run test:cluster:all` only.
 * `many` makes ten environments; `up-command` starts the whole command line a dozen times, for what `up` shows in one process; `roles`
 * waits for a Secret's way to the pods; `faults-operator` kills at every entry of the journal what `guard` kills at six;
 * `delivery` and `argo-rollouts` build helm and Argo Rollouts from their Go modules, and walk whole releases; `three` walks
 * three in a row; `backup-images` repeats what `backup-mode` shows, without its release; `storage-faults`, `bad-input` and
 * `room` wait for limits; `severed` cuts the operator off at every step of a switchover.
 */
const long = [
  'argo-rollouts',
  'backup-images',
  'bad-input',
  'clones',
  'cnpg',
  'cnpg-failover',
  'cnpg-pulumi',
  'cnpg-upgrade',
  'delivery',
  'destroy-release',
  'drill',
  'engine-killed',
  'evicted',
  'examples',
  'faults-operator',
  'faults-pooler',
  'guard',
  'guard-asleep',
  'guard-strict',
  'killed-retire',
  'life',
  'many',
  'mesh',
  'move-in',
  'pod-faults',
  'roles',
  'room',
  'routers',
  'seal',
  'severed',
  'snapshots-odd',
  'storage-faults',
  'three',
  'untried',
  'up-command',
  'up-delivery',
  'up-fleet',
  'up-rotate',
  'upgrade-killed',
].map((name) => `test/e2e/${name}.test.ts`);

/** Tests on a real cluster, by KUBECONFIG: `npm run test:cluster`. Each in a namespace of its own, so two at a time. */
export default defineConfig({
  test: {
    include: ['test/e2e/*.test.ts'],
    exclude: process.env['VERDIGRIS_CLUSTER_ALL'] ? [] : long,
    env: compiled,
    testTimeout: 1_800_000,
    hookTimeout: 300_000,
    maxWorkers: 2,
    ...tries,
  },
});
