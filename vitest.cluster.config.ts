import { defineConfig } from 'vitest/config';

/** Files that take minutes and add states rather than promises, and those that stop parts of the cluster: in `npm run test:cluster:all` only. */
const long = ['test/e2e/pod-faults.test.ts', 'test/e2e/many.test.ts', 'test/e2e/kill-operator.test.ts'];

/** Tests on a real cluster, by KUBECONFIG: `npm run test:cluster`. Each in a namespace of its own, so two at a time. */
export default defineConfig({
  test: {
    include: ['test/e2e/*.test.ts'],
    exclude: process.env['VERDIGRIS_CLUSTER_ALL'] ? [] : long,
    testTimeout: 900_000,
    hookTimeout: 300_000,
    maxWorkers: 2,
    // Two environments share a node: a second try tells a slow pod from a defect, and is shown.
    retry: process.env['CI'] ? 1 : 0,
  },
});
