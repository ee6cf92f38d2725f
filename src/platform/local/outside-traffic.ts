import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeDurably } from '../../machine/durable.ts';
import { colours, type Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import type { UidStore } from '../service/own-service.ts';
import { HoldFile } from '../hold-watch/record.ts';
import { HoldWatch } from '../hold-watch/watch.ts';
import type { OutsideTraffic } from '../port/outside-traffic.ts';
import type { MachineServers } from './machine-servers.ts';
import type { Places } from './places.ts';
import { routeStore } from './route-store.ts';
import { recoverCommand } from './recover-command.ts';
import { connectionIn } from '../connection-in.ts';

/** What clients come by in the place of the router, where the declaration has them come by something else. */
export async function outsideTraffic(
  environment: Environment,
  places: Places,
  servers: MachineServers,
): Promise<OutsideTraffic | undefined> {
  const { traffic } = environment;
  switch (traffic?.kind) {
    case 'service':
      return service(environment, places, servers);
    case 'pgbouncer': {
      const { PgBouncers } = await import('../pgbouncer/pgbouncers.ts');
      const { PgBouncerTraffic } = await import('../pgbouncer/traffic.ts');
      const { WhoAnswers } = await import('../who-answers.ts');
      const parts = watched(places, servers, 'the PgBouncers');
      const poolers = new PgBouncers(environment, traffic);
      return new PgBouncerTraffic(environment, {
        ...parts,
        poolers,
        who: new WhoAnswers(connections(environment, servers)),
      });
    }
    case 'routers': {
      const { RoutersTraffic } = await import('../routers/traffic.ts');
      const { WhoAnswers } = await import('../who-answers.ts');
      const { watch } = watched(places, servers, 'the routers');
      return new RoutersTraffic(traffic, {
        watch,
        store: await routeStore(environment, places),
        who: new WhoAnswers(connections(environment, servers)),
      });
    }
    case 'command': {
      const { CommandTraffic } = await import('../command/traffic.ts');
      const connection = connections(environment, servers);
      return new CommandTraffic(environment, traffic, { ...watched(places, servers, 'the program'), connection });
    }
    default:
      return undefined;
  }
}

async function service(environment: Environment, places: Places, servers: MachineServers): Promise<OutsideTraffic> {
  const { ServiceTraffic: Service } = await import('../service/traffic.ts');
  const { Cluster } = await import('../kubernetes/cluster.ts');
  const { namespace = 'default', context } = serviceAccess(environment);
  const sides = colours.flatMap((colour) => {
    const server = servers.external(colour);
    if (!server) return [];
    const cluster = servers.cnpg(colour)?.name;
    const target = cluster === undefined ? server.address : { cluster };
    return [[colour, { target, connection: () => server.connection() }] as const];
  });
  const api = Cluster.open(namespace, context === undefined ? {} : { context });
  return new Service(environment, Object.fromEntries(sides), api, uidIn(places));
}

/** Where the Service is: as declared, or beside the Cluster that it selects. */
function serviceAccess({ traffic, colours: { blue, green } }: Environment): {
  readonly namespace?: string | undefined;
  readonly context?: string | undefined;
} {
  const cluster = [blue, green].find((colour) => colour?.server?.kind === 'cnpg')?.server;
  return cluster ?? traffic ?? {};
}

/** `where`: the path, for people. */
function watched(places: Places, servers: MachineServers, where: string) {
  return {
    record: new HoldFile(path.join(places.traffic, 'hold.json'), where),
    watch: new HoldWatch(recoverCommand(places), path.join(places.traffic, 'watch.log')),
    address: (colour: Colour) => servers.external(colour)?.address,
  };
}

/** Undefined where the colour is no server now. */
function connections({ database }: Environment, servers: MachineServers) {
  return async (colour: Colour) =>
    (await servers.upstream(colour)) === undefined ? undefined : await connectionIn(servers, colour, database);
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
