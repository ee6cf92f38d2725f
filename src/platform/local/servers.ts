import { access, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { quoteConninfo } from '../../model/conninfo.ts';
import { snapshotMissing } from '../../model/failures.ts';
import { readerRole } from '../../model/names.ts';
import { applyErrorIn } from '../../postgres/apply-error.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import type {
  BackupMode,
  EmptyOptions,
  RestoreOptions,
  ServerObservation,
  Servers,
  SnapshotFacts,
} from '../port/servers.ts';
import { otherGeneration } from '../other-generation.ts';
import type { Account } from './account.ts';
import { findBinaries } from './binaries.ts';
import { copyTree, giveFolders } from './copy.ts';
import { readFrom } from './log-file.ts';
import { KnownServers } from './known-servers.ts';
import type { Places } from './places.ts';
import {
  dataDirectory,
  initServer,
  operatorRole,
  removeServer,
  serverPid,
  openDoor,
  startServer,
  stopServer,
  writeLock,
  writeSettings,
  type Settings,
} from './server.ts';
import { serverSettings } from './server-settings.ts';
import { copySnapshot, hasTablespaces, snapshotMajor } from './snapshot.ts';
import { removeSockets } from './sockets.ts';
import { writeDurably } from '../../machine/durable.ts';
import { makeFolder } from '../../machine/folder.ts';

/** PostgreSQL processes of this machine, a folder each. */
export class LocalServers implements Servers {
  readonly #environment: Pick<Environment, 'name' | 'limits' | 'database' | 'colours'>;
  readonly #places: Places;
  readonly #account: Account | undefined;
  readonly #extra: Settings;
  readonly #known: KnownServers;

  constructor(
    environment: Pick<Environment, 'name' | 'limits' | 'database' | 'colours'>,
    places: Places,
    account: Account | undefined,
    extra: Settings = {},
  ) {
    this.#environment = environment;
    this.#places = places;
    this.#account = account;
    this.#extra = extra;
    this.#known = new KnownServers(environment, places, account);
  }

  /** An empty, running server: the first colour of a new environment. */
  async initialize(colour: Colour, major: number, generation: number): Promise<void> {
    const server = await this.#known.make(colour, generation, major);
    await rm(server.directory, { recursive: true, force: true });
    await initServer(server, this.#settings(colour, false));
    await startServer(server);
  }

  seeding(): 'physical' {
    return 'physical';
  }

  ownsStorage(): boolean {
    return true;
  }

  async empty(colour: Colour, { generation, major }: EmptyOptions): Promise<void> {
    const there = (await this.#known.records.read())[colour];
    // Made by an attempt that was cut short: nothing is in it that anybody else knows of.
    if (there?.generation === generation) await removeServer(await this.#known.describe(colour, there));
    await this.initialize(colour, major, generation);
  }

  keepReserve(): Promise<void> {
    return this.#known.records.keepReserve();
  }

  async observe(colour: Colour): Promise<ServerObservation | undefined> {
    const found = (await this.#known.records.read())[colour];
    if (!found) return undefined;
    const server = await this.#known.describe(colour, found);
    // A colour whose files somebody removed is gone, whatever the record says.
    if (!(await exists(dataDirectory(server)))) return undefined;
    return {
      running: (await serverPid(server)) !== undefined,
      generation: found.generation,
      major: found.major,
      version: server.binaries.version,
    };
  }

  async connection(colour: Colour): Promise<ConnectionSettings> {
    const { sockets, port } = await this.#known.need(colour);
    return { host: sockets, port, user: operatorRole, superuser: true, database: 'postgres' };
  }

  async readerConnection(colour: Colour): Promise<ConnectionSettings> {
    return { ...(await this.connection(colour)), user: readerRole };
  }

  async conninfo(colour: Colour): Promise<string> {
    const { sockets, port } = await this.#known.need(colour);
    return `host=${quoteConninfo(sockets)} port=${port}`;
  }

  /** Where the router finds a colour. */
  async upstream(colour: Colour): Promise<{ port: number; sockets: string } | undefined> {
    const found = await this.#known.find(colour);
    return found && { port: found.port, sockets: found.sockets };
  }

  async snapshot(
    colour: Colour,
    name: string,
    backup: BackupMode,
    onBytes: (bytes: number) => void,
  ): Promise<SnapshotFacts> {
    const server = await this.#known.need(colour);
    if (await hasTablespaces(server)) {
      throw new VerdigrisError('tablespaces', {
        seen: `${colour} has tablespaces outside its data directory.`,
        required: 'all data in one directory: tablespaces cannot be copied at the same instant here.',
        next: 'move the tables to pg_default (ALTER TABLE … SET TABLESPACE pg_default) and drop the tablespaces.',
      });
    }
    await makeFolder(this.#places.snapshots, 0o711);
    return copySnapshot(server, this.#places.snapshot(name), backup, onBytes);
  }

  async removeSnapshot(name: string): Promise<void> {
    await rm(this.#places.snapshot(name), { recursive: true, force: true });
  }

  async snapshots(): Promise<string[]> {
    return readdir(this.#places.snapshots).catch(() => []);
  }

  async restore(colour: Colour, snapshot: string, { generation, consume, onBytes }: RestoreOptions): Promise<void> {
    const known = (await this.#known.records.read())[colour];
    const from = this.#places.snapshot(snapshot);
    const directory = this.#places.server(colour, generation);
    // Moving the snapshot is one step and takes its mark of completeness along; a copy that was cut short may have it
    // too soon.
    const restored =
      (await exists(path.join(directory, 'restored'))) || (consume && (await exists(path.join(directory, 'complete'))));
    const major = restored
      ? known?.generation === generation
        ? known.major
        : await snapshotMajor(directory)
      : await snapshotMajor(from);
    if (major === undefined) {
      throw snapshotMissing(`The snapshot ${snapshot} is missing or incomplete.`);
    }
    const server = await this.#known.make(colour, generation, major);
    if (!restored) {
      await rm(directory, { recursive: true, force: true });
      if (consume) await rename(from, directory);
      else {
        await copyTree(from, directory, this.#account, (relative) => relative === 'complete', onBytes);
        await giveFolders(directory, this.#account);
      }
    }
    await writeDurably(path.join(directory, 'restored'), '');
    await rm(path.join(directory, 'complete'), { force: true });
    if (!(await serverPid(server)) && !(await exists(path.join(directory, 'unparked')))) {
      const signal = path.join(dataDirectory(server), 'standby.signal');
      await writeDurably(signal, '', { owner: this.#account });
      await writeSettings(server, this.#settings(colour, true));
      await writeLock(server, 'closed');
    }
    // Its recovery must not be felt on the live server; `unpark` starts it again, like all others.
    await startServer(server, !(await exists(path.join(directory, 'unparked'))));
  }

  async unpark(colour: Colour): Promise<void> {
    const server = await this.#known.need(colour);
    const mark = path.join(server.directory, 'unparked');
    if (!(await exists(mark))) {
      await stopServer(server);
      await writeSettings(server, this.#settings(colour, false));
      await writeDurably(mark, '');
    }
    await startServer(server);
  }

  async start(colour: Colour): Promise<void> {
    const server = await this.#known.need(colour);
    await startServer(server);
    await openDoor(server);
  }

  async stop(colour: Colour, mode: 'fast' | 'immediate', generation?: number): Promise<void> {
    const found = (await this.#known.records.read())[colour];
    if (generation !== undefined && found?.generation !== generation)
      throw otherGeneration(colour, generation, found?.generation);
    await stopServer(found ? await this.#known.describe(colour, found) : await this.#known.need(colour), mode);
  }

  async remove(colour: Colour, generation: number | undefined): Promise<void> {
    const found = (await this.#known.records.read())[colour];
    if (!found) return;
    const server = await this.#known.describe(colour, found);
    const there = (await exists(dataDirectory(server))) ? found.generation : undefined;
    if (there !== generation) throw otherGeneration(colour, generation, there);
    // All that follows bears the generation in its name.
    await removeServer(server);
    await removeSockets(server.sockets);
    await this.#known.records.change(({ [colour]: now, ...rest }) =>
      now?.generation === found.generation ? rest : undefined,
    );
  }

  async applyError(colour: Colour): Promise<string | undefined> {
    return applyErrorIn((await readFrom(await this.logFile(colour), -logEnd)).text);
  }

  async logFile(colour: Colour): Promise<string> {
    return path.join((await this.#known.need(colour)).directory, 'server.log');
  }

  /** Folder of the programs of a colour's PostgreSQL. */
  async programs(colour: Colour): Promise<string> {
    return (await this.#known.need(colour)).binaries.bin;
  }

  async facts(colour: Colour): Promise<{ walOnOtherVolume: boolean }> {
    const wal = path.join(dataDirectory(await this.#known.need(colour)), 'pg_wal');
    return {
      walOnOtherVolume: await readdir(wal, { withFileTypes: true }).then(
        () => false,
        () => true,
      ),
    };
  }

  async supports(major: number): Promise<void> {
    await findBinaries(major, this.#places.binaries);
  }

  #settings(colour: Colour, parked: boolean): Settings {
    return serverSettings(this.#environment, colour, parked, this.#extra);
  }
}

/** Bytes of a log in which the last error is looked for. */
const logEnd = 65_536;

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
