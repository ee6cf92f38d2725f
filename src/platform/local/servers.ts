import { access, chown, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { readerRole } from '../../model/names.ts';
import { applyErrorIn } from '../../postgres/apply-error.ts';
import type { ConnectionSettings } from '../../postgres/client.ts';
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
import { findBinaries, type Binaries } from './binaries.ts';
import { copyTree } from './copy.ts';
import { readFrom } from './log-file.ts';
import type { Places } from './places.ts';
import { freePort } from './ports.ts';
import { Records, type ServerRecord } from './records.ts';
import {
  dataDirectory,
  initServer,
  operatorRole,
  removeServer,
  serverPid,
  startServer,
  stopServer,
  writeLock,
  writeSettings,
  type Server,
  type Settings,
} from './server.ts';
import { copySnapshot, hasTablespaces, snapshotMajor } from './snapshot.ts';
import { chooseSockets, legacySockets, removeSockets } from './sockets.ts';

/** PostgreSQL processes of this machine, a folder each. */
export class LocalServers implements Servers {
  readonly #environment: Pick<Environment, 'name' | 'limits' | 'database' | 'colours'>;
  readonly #places: Places;
  readonly #account: Account | undefined;
  readonly #extra: Settings;
  readonly #records: Records;
  readonly #binaries = new Map<number, Promise<Binaries>>();

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
    this.#records = new Records(places.servers, places.legacyServers);
  }

  /** An empty, running server: the first colour of a new environment. */
  async initialize(colour: Colour, major: number, generation: number): Promise<void> {
    const server = await this.#record(colour, generation, major);
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
    const there = (await this.#records.read())[colour];
    // Made by an attempt that was cut short: nothing is in it that anybody else knows of.
    if (there?.generation === generation) await removeServer(await this.#describe(colour, there));
    await this.initialize(colour, major, generation);
  }

  keepReserve(): Promise<void> {
    return this.#records.keepReserve();
  }

  async observe(colour: Colour): Promise<ServerObservation | undefined> {
    const found = (await this.#records.read())[colour];
    if (!found) return undefined;
    const server = await this.#describe(colour, found);
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
    const { sockets, port } = await this.#server(colour);
    return { host: sockets, port, user: operatorRole, database: 'postgres' };
  }

  async readerConnection(colour: Colour): Promise<ConnectionSettings> {
    return { ...(await this.connection(colour)), user: readerRole };
  }

  async conninfo(colour: Colour): Promise<string> {
    const { sockets, port } = await this.#server(colour);
    return `host=${sockets} port=${port}`;
  }

  /** Where the router finds a colour. */
  async upstream(colour: Colour): Promise<{ port: number; sockets: string } | undefined> {
    const found = (await this.#records.read())[colour];
    if (!found) return undefined;
    const { port, sockets } = await this.#describe(colour, found);
    return { port, sockets };
  }

  async snapshot(
    colour: Colour,
    name: string,
    backup: BackupMode,
    onBytes: (bytes: number) => void,
  ): Promise<SnapshotFacts> {
    const server = await this.#server(colour);
    if (await hasTablespaces(server)) {
      throw new VerdigrisError('tablespaces', {
        seen: `${colour} has tablespaces outside its data directory.`,
        required: 'all data in one directory: a snapshot of the others at the same instant cannot be had here.',
        next: 'move the tables to pg_default (ALTER TABLE … SET TABLESPACE pg_default) and drop the tablespaces.',
      });
    }
    await mkdir(this.#places.snapshots, { recursive: true, mode: 0o711 });
    return copySnapshot(server, this.#places.snapshot(name), backup, onBytes);
  }

  async removeSnapshot(name: string): Promise<void> {
    await rm(this.#places.snapshot(name), { recursive: true, force: true });
  }

  async snapshots(): Promise<string[]> {
    return readdir(this.#places.snapshots).catch(() => []);
  }

  async restore(colour: Colour, snapshot: string, { generation, consume, onBytes }: RestoreOptions): Promise<void> {
    const known = (await this.#records.read())[colour];
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
      throw new VerdigrisError('snapshot-missing', {
        seen: `The snapshot ${snapshot} is missing or incomplete.`,
        required: 'a whole snapshot.',
        next: 'run `verdigris abandon`, then seed again.',
      });
    }
    const server = await this.#record(colour, generation, major);
    if (!restored) {
      await rm(directory, { recursive: true, force: true });
      if (consume) await rename(from, directory);
      else await copyTree(from, directory, this.#account, () => false, onBytes);
    }
    await writeFile(path.join(directory, 'restored'), '');
    await rm(path.join(directory, 'complete'), { force: true });
    if (!(await serverPid(server)) && !(await exists(path.join(directory, 'unparked')))) {
      const signal = path.join(dataDirectory(server), 'standby.signal');
      await writeFile(signal, '');
      if (this.#account) await chown(signal, this.#account.uid, this.#account.gid);
      await writeSettings(server, this.#settings(colour, true));
      await writeLock(server, 'closed');
    }
    // Its recovery must not be felt on the live server; `unpark` starts it again, like all others.
    await startServer(server, !(await exists(path.join(directory, 'unparked'))));
  }

  async unpark(colour: Colour): Promise<void> {
    const server = await this.#server(colour);
    const mark = path.join(server.directory, 'unparked');
    if (!(await exists(mark))) {
      await stopServer(server);
      await writeSettings(server, this.#settings(colour, false));
      await writeFile(mark, '');
    }
    await startServer(server);
  }

  async start(colour: Colour): Promise<void> {
    await startServer(await this.#server(colour));
  }

  async stop(colour: Colour, mode: 'fast' | 'immediate', generation?: number): Promise<void> {
    const found = (await this.#records.read())[colour];
    if (generation !== undefined && found?.generation !== generation)
      throw otherGeneration(colour, generation, found?.generation);
    await stopServer(found ? await this.#describe(colour, found) : await this.#server(colour), mode);
  }

  async remove(colour: Colour, generation: number | undefined): Promise<void> {
    const found = (await this.#records.read())[colour];
    if (!found) return;
    const server = await this.#describe(colour, found);
    const there = (await exists(dataDirectory(server))) ? found.generation : undefined;
    if (there !== generation) throw otherGeneration(colour, generation, there);
    // All that follows bears the generation in its name.
    await removeServer(server);
    await removeSockets(server.sockets);
    await this.#records.change(({ [colour]: now, ...rest }) =>
      now?.generation === found.generation ? rest : undefined,
    );
  }

  async applyError(colour: Colour): Promise<string | undefined> {
    return applyErrorIn((await readFrom(await this.logFile(colour), -logEnd)).text);
  }

  async logFile(colour: Colour): Promise<string> {
    return path.join((await this.#server(colour)).directory, 'server.log');
  }

  /** Folder of the programs of a colour's PostgreSQL. */
  async programs(colour: Colour): Promise<string> {
    return (await this.#server(colour)).binaries.bin;
  }

  async facts(colour: Colour): Promise<{ walOnOtherVolume: boolean }> {
    const wal = path.join(dataDirectory(await this.#server(colour)), 'pg_wal');
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
    return {
      cluster_name: `${this.#environment.name}-${colour}`,
      wal_level: 'logical',
      max_replication_slots: '20',
      max_wal_senders: '20',
      max_connections: '200',
      max_logical_replication_workers: parked ? '0' : '8',
      max_slot_wal_keep_size: `${Math.ceil(this.#environment.limits.retainedWal / 1024 ** 2)}MB`,
      // The apply worker reports what it has flushed at this interval, and the barrier of a switchover waits for that
      // report.
      wal_writer_delay: '10ms',
      shared_buffers: '128MB',
      password_encryption: 'scram-sha-256',
      hot_standby: 'on',
      archive_mode: 'off',
      ...(parked ? { primary_conninfo: '', restore_command: '' } : {}),
      ...this.#extra,
    };
  }

  async #server(colour: Colour): Promise<Server> {
    const found = (await this.#records.read())[colour];
    if (!found)
      throw new VerdigrisError('no-colour', {
        seen: `${colour} does not exist.`,
        required: `a server for ${colour}.`,
        next: 'see `verdigris status`.',
      });
    return this.#describe(colour, found);
  }

  async #describe(colour: Colour, found: ServerRecord): Promise<Server> {
    const binaries = this.#binaries.get(found.major) ?? findBinaries(found.major, this.#places.binaries);
    this.#binaries.set(found.major, binaries);
    const listen = this.#environment.colours[colour]?.server?.host;
    return {
      binaries: await binaries,
      account: this.#account,
      directory: this.#places.server(colour, found.generation),
      sockets: found.sockets ?? legacySockets(this.#places.root, colour),
      port: found.port,
      ...(listen === undefined ? {} : { listen }),
    };
  }

  /** The record of this generation, made where there is none yet. */
  async #record(colour: Colour, generation: number, major: number): Promise<Server> {
    const there = (await this.#records.read())[colour];
    if (there?.generation === generation) return this.#describe(colour, there);
    const sockets = await chooseSockets(this.#places.root, `${colour}-${generation}`);
    const made: ServerRecord = { generation, major, port: await freePort(), sockets };
    let record = made;
    await this.#records.change((records) => {
      const known = records[colour];
      // Generations are never used again: one that is newer was made by somebody with a newer lease.
      if (known && known.generation > generation) throw otherGeneration(colour, generation, known.generation);
      record = known?.generation === generation ? known : made;
      return record === made ? { ...records, [colour]: made } : undefined;
    });
    return this.#describe(colour, record);
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
