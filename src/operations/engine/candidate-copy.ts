import { withCopySlot } from '../../migrations/rehearsal/copy-slot.ts';
import type { PlatformClone } from '../../platform/port/platform.ts';
import type { Context } from './context.ts';
import { connectionIn } from '../../platform/connection-in.ts';

/** Runs `use` on a throw-away clone of the candidate, where it may write what it likes; the candidate stays closed. */
export async function withCandidateCopy<T>(c: Context, use: (copy: PlatformClone) => Promise<T>): Promise<T> {
  const { environment, platform, signal } = c;
  const source = await connectionIn(platform.servers, c.idle, environment.database);
  const copy = await withCopySlot(
    source,
    environment.limits.snapshot,
    signal,
    () => platform.lifecycle.clone({ ...environment, live: c.idle }, signal),
    (unwanted) => unwanted.destroy(),
  );
  try {
    return await use(copy);
  } finally {
    await copy.destroy();
  }
}
