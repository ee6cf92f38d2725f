import type { Lsn } from '../../model/lsn.ts';
import { crossBarrier } from '../../postgres/barrier.ts';
import type { Context } from './context.ts';
import { stream } from './release-record.ts';

/**
 * Waits until all that was committed on one side of the stream under way is on the other, `limit` ms at most; ends as
 * soon as a change cannot be applied, with the words of the server. `seal`: see `crossBarrier`.
 */
export async function cross(c: Context, limit = c.environment.limits.catchUp, seal?: number): Promise<Lsn> {
  const { name, from, to } = stream(c);
  return c.on(from, (publisher) =>
    c.on(to, (subscriber) =>
      crossBarrier(publisher, subscriber, name, limit, c.signal, seal, () => c.platform.servers.applyError?.(to)),
    ),
  );
}
