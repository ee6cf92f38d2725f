import type { Colour } from '../../../model/colours.ts';
import { operatorRole } from '../../../model/names.ts';
import { one, withClient } from '../../../postgres/client.ts';
import { serverIdentity } from '../../../postgres/server-identity.ts';
import type { Router } from './router.ts';

export interface ProbeFacts {
  readonly colour: Colour;
  readonly timeline: number;
  readonly writable: boolean;
}

/** Asks the server that writes are routed to now who it is, from here, where the clients' backends are dialled; past any hold. */
export async function probe(router: Router): Promise<ProbeFacts> {
  const upstream = router.table.upstreams[router.table.live];
  if (!upstream) throw new Error(`${router.table.live} has no server`);
  return withClient({ host: upstream.sockets, port: upstream.port, user: operatorRole, database: 'postgres' }, 'probe', async (client) => {
    const { clusterName, timeline, inRecovery } = await serverIdentity(client);
    const { fenced } = await one<{ fenced: boolean }>(client, "SELECT current_setting('transaction_read_only') = 'on' AS fenced");
    return { colour: clusterName.endsWith('-green') ? 'green' : 'blue', timeline, writable: !inRecovery && !fenced };
  });
}
