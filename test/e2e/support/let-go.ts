import type { ClusterBench } from './faults.ts';
import { until } from '../../support/until.ts';

/** Milliseconds until the guards have let the clients go; waits for the end of their recovery too. */
export async function letGo({ platform, journal }: ClusterBench, where: string): Promise<number> {
  const began = performance.now();
  await until(
    `the clients let go after ${where}`,
    async () => (await platform.traffic.status()).held === undefined,
    180_000,
  );
  const waited = Math.round(performance.now() - began);
  await until(
    `the recovery after ${where} at its end`,
    async () => (await journal()).operation === null && (await platform.leases.holder()) === undefined,
    180_000,
  );
  return waited;
}
