import { mkdir, open, readdir, rm, statfs } from 'node:fs/promises';
import path from 'node:path';
import type { Trace } from '../../model/birth.ts';
import { routerFiles } from '../../router/config.ts';
import { colours } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import type { Finding } from '../../model/finding.ts';
import type { RehearsalReport } from '../../migrations/rehearsal/report.ts';
import type { DiskSpace, Platform } from '../port/platform.ts';
import { serverAccount } from './account.ts';
import { destroyLocal } from './lifecycle/destroy.ts';
import { LocalCredentials } from './credentials.ts';
import { LocalOwnCredentials } from './own-credentials.ts';
import type { DrillStore } from '../port/drills.ts';
import type { HistoryStore } from '../port/history.ts';
import type { JournalStore } from '../port/journal.ts';
import type { LeaseStore } from '../port/leases.ts';
import type { Traffic } from '../port/traffic.ts';
import type { OutsideTraffic } from '../port/outside-traffic.ts';
import type { Behind } from '../port/platform.ts';
import { KeptDeclaration } from './kept-declaration.ts';
import { outsideServers } from './outside-servers.ts';
import { outsideTraffic } from './outside-traffic.ts';
import { tryAll } from '../trial.ts';
import { storesOf, type Stores } from './stores.ts';
import { readReports } from './reports.ts';
import { Places } from './places.ts';
import { ownPasswordsFile } from './external-store.ts';
import { requireOwnFolder, requireSecretFile } from './own-files.ts';
import { runningProcess } from '../../machine/process.ts';
import type { LocalParts } from './parts.ts';
import type { Settings } from './server.ts';
import { MachineServers } from './machine-servers.ts';
import { LocalServers } from './servers.ts';
import { LocalTraffic } from './traffic.ts';
import { hostAndPort } from '../../model/address.ts';
import { makeFolder } from '../../machine/folder.ts';

/** The embedded default: real PostgreSQL processes and a router on this machine. */
export class LocalPlatform implements LocalParts {
  readonly kind = 'local';
  readonly environment: string;
  readonly places: Places;
  readonly servers: MachineServers;
  readonly traffic: Traffic;
  readonly outside: OutsideTraffic | undefined;
  readonly kept: KeptDeclaration;
  readonly stores: Stores;
  readonly journal: JournalStore;
  readonly leases: LeaseStore;
  readonly history: HistoryStore;
  readonly drills: DrillStore;
  readonly credentials: LocalCredentials;
  readonly lifecycle: Platform['lifecycle'];

  readonly #declared: Environment;

  private constructor(
    environment: Environment,
    places: Places,
    servers: MachineServers,
    stores: Stores,
    outside: OutsideTraffic | undefined,
  ) {
    this.#declared = environment;
    this.environment = environment.name;
    this.places = places;
    this.servers = servers;
    this.outside = outside;
    this.traffic = outside ?? new LocalTraffic(environment, places, servers);
    this.kept = new KeptDeclaration(environment, places.declaration);
    this.stores = stores;
    this.journal = stores.journal;
    this.leases = stores.leases;
    this.history = stores.history;
    this.drills = stores.drills;
    const address = async () => {
      const reached = hostAndPort((await this.traffic.status()).address);
      // The address is this machine's own: what matters is that the router may take nothing else.
      const tls = environment.local.tls ? { tls: { mode: 'require' } as const } : {};
      return { ...reached, database: environment.database, ...tls };
    };
    this.credentials = new LocalCredentials(
      places.credentials,
      environment.local.passwords,
      address,
      new LocalOwnCredentials(places, servers),
    );
    // Loaded only where it is asked for: it is about platforms itself, and most commands neither make nor remove one.
    this.lifecycle = {
      create: async (options) => (await import('./lifecycle/create.ts')).createLocal(environment, this, options),
      clone: async (of, signal) => (await import('./lifecycle/clone.ts')).cloneLocal(of, this, signal),
      destroy: () => destroyLocal(this),
    };
  }

  /** `settings` are added to every server's configuration, over Verdigris's own. */
  static async open(environment: Environment, home: string, settings: Settings = {}): Promise<LocalPlatform> {
    const places = new Places(home, environment.name);
    for (const folder of [home, places.root]) {
      await makeFolder(folder, 0o711);
      await requireOwnFolder(folder);
    }
    for (const folder of [
      ...[places.journal, places.leases, places.servers],
      ...[places.router, places.traffic, places.external, places.exports],
    ]) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await requireOwnFolder(folder);
    }
    for (const file of [places.credentials, ownPasswordsFile(places), routerFiles(places.router).passwords])
      await requireSecretFile(file);
    const outside = await outsideServers(environment, places);
    const local = new LocalServers(environment, places, await serverAccount(), settings);
    const servers = new MachineServers(environment, places, local, outside);
    return new LocalPlatform(
      environment,
      places,
      servers,
      await storesOf(environment, places),
      await outsideTraffic(environment, places, servers),
    );
  }

  /** Data directories, by the folder that is there and not by what is written down of them. */
  async remains(): Promise<Trace[]> {
    const folders = await readdir(this.places.root).catch(() => []);
    return folders
      .filter((name) => /^(blue|green)-\d+$/.test(name))
      .map((name) => ({ what: path.join(this.places.root, name) }));
  }

  exportFile(name: string): Promise<string> {
    return Promise.resolve(path.join(this.places.exports, name));
  }

  rehearsals(): Promise<RehearsalReport[]> {
    return readReports<RehearsalReport>(this.places.exports, 'rehearsal');
  }

  /** Puts aside what undoing needs where a disk is full. */
  async keepReserves(): Promise<void> {
    await Promise.all([this.stores.keepReserves(), this.servers.local.keepReserve()]);
  }

  async space(): Promise<DiskSpace[]> {
    const places: [DiskSpace['place'], string][] = [['journal', this.places.journal]];
    for (const colour of colours) {
      const seen = await this.servers.local.observe(colour);
      if (seen) places.push([colour, this.places.server(colour, seen.generation)]);
    }
    return Promise.all(
      places.map(async ([place, folder]) => {
        const { bavail, blocks, bsize } = await statfs(folder);
        const readOnly = await isReadOnly(folder);
        return { place, free: bavail * bsize, total: blocks * bsize, ...(readOnly ? { readOnly } : {}) };
      }),
    );
  }

  /** Of a Cluster that a release uses, or is about to. */
  async findings(seeding: boolean): Promise<Finding[]> {
    const found = await Promise.all(
      colours.map(async (colour) => {
        const used = seeding || (await this.servers.observe(colour)) !== undefined;
        return used ? (this.servers.cnpg(colour)?.findings() ?? []) : [];
      }),
    );
    return found.flat();
  }

  unusable(behind: Behind): Promise<Finding[]> {
    const { traffic } = this;
    return tryAll(traffic instanceof LocalTraffic ? traffic.trials(behind) : (this.outside?.trials(behind) ?? []));
  }

  async close(): Promise<void> {
    this.servers.close();
    await this.outside?.close();
    await this.stores.close();
  }

  /** Removes the clones whose maker was killed: nobody else comes for them. */
  async tidy(): Promise<void> {
    await this.keepReserves();
    await this.kept.write();
    for (const name of await readdir(this.places.clones).catch(() => [])) {
      // Not those of a marker that is being written.
      if (!name.endsWith('.new') && (await runningProcess(path.join(this.places.clones, name))) === undefined)
        await this.removeClone(name);
    }
  }

  sibling(environment: Environment): Promise<LocalPlatform> {
    return LocalPlatform.open({ ...environment, journal: undefined, traffic: undefined }, this.places.home);
  }

  async removeClone(name: string): Promise<void> {
    await destroyLocal(await this.sibling({ ...this.#declared, name }));
    await this.servers.removeSnapshot(name);
    await rm(path.join(this.places.clones, name), { force: true });
  }
}

/**
 * A file that is there is opened for writing, and nothing is written: access(2) does not know of a disk that its kernel
 * no longer writes to.
 */
async function isReadOnly(folder: string): Promise<boolean> {
  const [file] = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile());
  if (!file) return false;
  try {
    await (await open(path.join(folder, file.name), 'r+')).close();
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS';
  }
}
