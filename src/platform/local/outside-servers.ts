import path from 'node:path';
import { colours, other, type Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import type { CnpgServer } from '../cnpg/server.ts';
import { ExternalServer } from '../external/server.ts';
import { externalStore, ownPasswords } from './external-store.ts';
import type { Places } from './places.ts';

/** The colours that run elsewhere. */
export type OutsideServers = Partial<Record<Colour, ExternalServer | CnpgServer>>;

/** As the declaration has them. */
export async function outsideServers(environment: Environment, places: Places): Promise<OutsideServers> {
  const servers: OutsideServers = {};
  const clusters: Partial<Record<Colour, CnpgServer>> = {};
  const passwords = () => ownPasswords(places);
  for (const colour of colours) {
    const declared = environment.colours[colour]?.server;
    const store = externalStore(places, colour);
    if (declared?.kind === 'external')
      servers[colour] = new ExternalServer(environment, colour, declared, store, passwords);
    if (declared?.kind !== 'cnpg') continue;
    // Loaded only here: the Kubernetes client would add a second to every start.
    const { CnpgServer: Server } = await import('../cnpg/server.ts');
    const ca = path.join(places.external, `${colour}-ca.pem`);
    const second = () => clusters[other(colour)];
    servers[colour] = clusters[colour] = new Server(environment, colour, declared, store, passwords, ca, second);
  }
  return servers;
}
