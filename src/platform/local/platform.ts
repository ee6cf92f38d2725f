import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Environment } from '../../model/environment.ts';
import type { Platform } from '../port.ts';
import { serverAccount } from './account.ts';
import { LocalDrills } from './drills.ts';
import { LocalHistory } from './history.ts';
import { LocalJournal } from './journal.ts';
import { LocalLeases } from './leases.ts';
import { Places } from './places.ts';
import type { Settings } from './server.ts';
import { LocalServers } from './servers.ts';
import { LocalTraffic } from './traffic.ts';

/** The embedded default: real PostgreSQL processes and a router on this machine. */
export class LocalPlatform implements Platform {
  readonly kind = 'local';
  readonly environment: string;
  readonly places: Places;
  readonly servers: LocalServers;
  readonly traffic: LocalTraffic;
  readonly journal: LocalJournal;
  readonly leases: LocalLeases;
  readonly history: LocalHistory;
  readonly drills: LocalDrills;

  private constructor(environment: Environment, places: Places, servers: LocalServers) {
    this.environment = environment.name;
    this.places = places;
    this.servers = servers;
    this.traffic = new LocalTraffic(places, servers);
    this.journal = new LocalJournal(places.journal);
    this.leases = new LocalLeases(places.leases);
    this.history = new LocalHistory(places.history);
    this.drills = new LocalDrills(places.exports);
  }

  /** `settings` are added to every server's configuration, over Verdigris's own. */
  static async open(environment: Environment, home: string, settings: Settings = {}): Promise<LocalPlatform> {
    const places = new Places(home, environment.name);
    for (const folder of [home, places.root]) await mkdir(folder, { recursive: true, mode: 0o711 });
    for (const folder of [places.journal, places.leases, places.router, places.exports]) await mkdir(folder, { recursive: true, mode: 0o700 });
    return new LocalPlatform(environment, places, new LocalServers(environment, places, await serverAccount(), settings));
  }

  exportFile(name: string): Promise<string> {
    return Promise.resolve(path.join(this.places.exports, name));
  }
}
