import type { Colour } from '../../model/colours.ts';
import { untilCarried } from '../../postgres/standbys.ts';
import type { Context } from './context.ts';

/** Waits until a slot of this colour outlives its failover, where the colour has standbys that carry slots. */
export async function outlive(
  c: Context,
  colour: Colour,
  slot: string,
  { unused }: { readonly unused: boolean },
): Promise<void> {
  const standbys = (await c.platform.servers.standbys?.(colour)) ?? [];
  const { signal } = c;
  const limit = c.environment.limits.catchUp;
  await c.on(colour, (client) => untilCarried(client, slot, standbys, { unused, limit, signal }));
}
