import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesPlatform } from '../../platform/kubernetes/platform.ts';
import { readJournal } from '../engine/ledger.ts';

/** Milliseconds between two attempts. */
const every = 200;

/**
 * Lets the clients of one pooler go as soon as nothing is in the way, without the lease and without the other
 * poolers: behind the commit point the journal says for good which colour takes writes, and the pooler's own ways lead
 * there or not. Before it that is for whoever has the lease. Tries at least once, and until `signal` is aborted.
 */
export async function letOwnGo(
  platform: KubernetesPlatform,
  pod: string,
  gone: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const { operation, live } = await readJournal(platform.journal);
    const settled = operation === null || operation.phase === 'complete';
    if (settled && (await platform.traffic.letGo(pod, live, gone).catch(() => false))) return;
    if (signal.aborted) return;
    await sleep(every);
  }
}
