import type { Colour } from '../../model/colours.ts';
import type { Client } from '../../postgres/client.ts';
import { isSuperuser } from '../../postgres/superuser.ts';
import type { Context } from './context.ts';
import { oneByOne } from './each.ts';

/**
 * Runs `use` in each database in which a colour is closed or opened, one after another: in the first alone where a
 * superuser sees to the whole server, in each that the release carries where rights do, which reach one database.
 */
export async function inFenced<T>(c: Context, colour: Colour, use: (client: Client) => Promise<T>): Promise<T[]> {
  const byRights = c.each.length > 1 && !(await c.on(colour, isSuperuser));
  return oneByOne(c, (inside) => inside.on(colour, use), byRights ? c.each : c.each.slice(0, 1));
}
