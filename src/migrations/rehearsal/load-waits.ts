import { waitFor } from '../../model/wait.ts';
import { ignoring } from './ignore.ts';
import type { Load } from './load.ts';

/** Runs the load alone for `ms`, and until it has done something: what latencies are compared with. */
export async function warmUp(load: Load, ms: number, signal: AbortSignal): Promise<void> {
  if (load.kind === 'none') return;
  const until = Date.now() + ms;
  await waitFor(async () => (Date.now() >= until && (load.operations?.length ?? Infinity) > 0 ? true : undefined), {
    limit: ms + 60_000,
    signal,
    slowest: 50,
    id: 'rehearsal-load',
    what: 'a statement of the load',
    next: 'see the log of the clone; give another load with --load.',
  });
}

/** Lets clients that were blocked end what they waited for, so that it is counted. */
export async function settleLoad(load: Load, signal: AbortSignal): Promise<void> {
  const done = load.operations?.length ?? 0;
  if (load.operations === undefined || load.kind === 'none') return;
  await waitFor(async () => ((load.operations?.length ?? 0) >= done + load.clients * 2 ? true : undefined), {
    limit: 10_000,
    signal,
    slowest: 20,
    what: 'the load going on',
    next: '',
  }).catch(ignoring);
  signal.throwIfAborted();
}
