import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeDurably } from '../../machine/durable.ts';
import type { Environment } from '../../model/environment.ts';
import type { UidStore } from '../cnpg/own-service.ts';
import type { ServiceTraffic } from '../cnpg/traffic.ts';
import type { MachineServers } from './machine-servers.ts';
import type { Places } from './places.ts';

/** The Service by which clients come, where the declaration has them come by one. */
export async function serviceOf(
  environment: Environment,
  places: Places,
  servers: MachineServers,
): Promise<ServiceTraffic | undefined> {
  if (environment.traffic?.kind !== 'service') return undefined;
  const { ServiceTraffic: Service } = await import('../cnpg/traffic.ts');
  const clusters = (colour: Parameters<MachineServers['cnpg']>[0]) => {
    const server = servers.cnpg(colour);
    if (!server) throw new Error('checked where the declaration is read');
    return server;
  };
  return new Service(environment, clusters, uidIn(places));
}

function uidIn(places: Places): UidStore {
  const file = path.join(places.external, 'service-uid');
  return {
    read: () => readFile(file, 'utf8').catch(() => undefined),
    async write(uid) {
      await mkdir(places.external, { recursive: true, mode: 0o700 });
      await writeDurably(file, uid);
    },
  };
}
