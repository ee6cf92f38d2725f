import type { Colour } from '../../model/colours.ts';
import type { Upstream } from '../config.ts';
import { Backend } from './backend.ts';

/** The ways by which clients come to a server: at their first login, and when they are carried over. */
const ways = ['tcp', 'socket'] as const;

/** Connects as clients are connected, and asks nothing. Rejects with the reason why that cannot be. */
export async function reachServer(colour: Colour, upstream: Upstream): Promise<void> {
  for (const way of ways) {
    const listener = { judge: () => 'drop' as const, pass: () => undefined, gone: () => undefined };
    const backend = await Backend.dial(colour, upstream, way, listener);
    backend.socket.destroy();
  }
}
