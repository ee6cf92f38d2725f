import type { Environment } from '../../model/environment.ts';
import type { Platform } from '../port/platform.ts';
import type { LocalCredentials } from './credentials.ts';
import type { MachineServers } from './machine-servers.ts';
import type { Places } from './places.ts';
import type { Stores } from './stores.ts';
import type { OutsideTraffic } from '../port/outside-traffic.ts';

/** What an environment on this machine is made of: by it its lifecycle works, which the platform itself leads to. */
export interface LocalParts extends Platform {
  readonly places: Places;
  readonly servers: MachineServers;
  /** In the place of the router, where clients come by something else. */
  readonly outside: OutsideTraffic | undefined;
  readonly stores: Stores;
  readonly credentials: LocalCredentials;
  /** Another environment of the same home; of its clones, what is known is in files. */
  sibling(environment: Environment): Promise<LocalParts>;
  /** Removes the clones whose maker was killed. */
  tidy(): Promise<void>;
  /** A clone with everything of it, however far its making came; the mark of its owner last. */
  removeClone(name: string): Promise<void>;
}
