import type { Environment } from '../../model/environment.ts';
import type { ServiceTraffic } from '../cnpg/traffic.ts';
import type { MachineServers } from './machine-servers.ts';

/** The Service by which clients come, where the declaration has them come by one. */
export async function serviceOf(
  environment: Environment,
  servers: MachineServers,
): Promise<ServiceTraffic | undefined> {
  if (environment.traffic?.kind !== 'service') return undefined;
  const { ServiceTraffic: Service } = await import('../cnpg/traffic.ts');
  return new Service(environment, (colour) => {
    const server = servers.cnpg(colour);
    if (!server) throw new Error('checked where the declaration is read');
    return server;
  });
}
