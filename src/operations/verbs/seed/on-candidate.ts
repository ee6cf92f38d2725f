import type { Client } from '../../../postgres/client.ts';
import type { Context } from '../../engine/context.ts';

/**
 * With a connection to the candidate, which is started first where it died meanwhile: parked, it replays to the same
 * position again.
 */
export async function onCandidate<T>(c: Context, use: (client: Client) => Promise<T>): Promise<T> {
  await c.platform.servers.start(c.idle);
  return c.on(c.idle, use);
}
