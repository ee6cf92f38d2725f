import { randomUUID } from 'node:crypto';
import { rows, type Client } from './client.ts';
import type { ConnectionSettings } from './connection.ts';
import { withOwnSession } from './session.ts';
import { literal } from './quote.ts';

/**
 * Whether both addresses lead to one server: a session of the one is seen from the other. Names, addresses and system
 * identifiers do not show it, for a copy of a server has its identifier. Who cannot get in at `there` as who is
 * connected here is at another one.
 */
export async function isSameServer(here: Client, there: ConnectionSettings): Promise<boolean> {
  const sign = `verdigris ${randomUUID()}`;
  await here.query(`SET application_name = ${literal(sign)}`);
  const seen = await withOwnSession(there, 'observe', (client) =>
    rows(client, 'SELECT FROM pg_stat_activity WHERE application_name = $1', [sign]),
  ).catch(() => []);
  await here.query('RESET application_name');
  return seen.length > 0;
}
