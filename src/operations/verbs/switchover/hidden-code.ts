import { runsHiddenCode } from '../../../postgres/hidden-code.ts';
import type { Context } from '../../engine/context.ts';
import { oneByOne } from '../../engine/each.ts';

/**
 * Tells whoever holds clients whether any statement may change its session unseen, in any database that moves: once for
 * all of them, also where the answer is no, as the last switchover may have said otherwise.
 */
export async function tellHiddenCode(c: Context): Promise<void> {
  const hidden = await oneByOne(c, (inside) => inside.on(inside.live, runsHiddenCode));
  await c.platform.traffic.unseen?.(c.ledger.token, hidden.includes(true));
}
