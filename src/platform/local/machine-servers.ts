import { colours, other, type Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { newest } from '../../model/own-passwords.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import type { ExternalServer } from '../external/server.ts';
import type { CnpgServer } from '../cnpg/server.ts';
import type {
  AsBefore,
  EmptyOptions,
  BackupMode,
  RestoreOptions,
  ServerObservation,
  Servers,
  SnapshotFacts,
} from '../port/servers.ts';
import type { Upstream } from '../../router/config.ts';
import { ownPasswords } from './external-store.ts';
import type { OutsideServers } from './outside-servers.ts';
import type { Places } from './places.ts';
import type { LocalServers } from './servers.ts';

/**
 * The colours of an environment of this machine: each a process here, or a server elsewhere, as the declaration has it.
 */
export class MachineServers implements Servers {
  readonly local: LocalServers;
  readonly #places: Places;
  readonly #method: Environment['seed']['method'];
  /** Addresses of this machine at which a server elsewhere reaches those that run here. */
  readonly #reachedAt: Partial<Record<Colour, string | undefined>>;
  readonly #external: OutsideServers;

  constructor(environment: Environment, places: Places, local: LocalServers, external: OutsideServers) {
    this.local = local;
    this.#places = places;
    this.#method = environment.seed.method;
    this.#reachedAt = Object.fromEntries(colours.map((colour) => [colour, environment.colours[colour]?.server?.host]));
    this.#external = external;
  }

  /** Where the declaration has it elsewhere. */
  external(colour: Colour): ExternalServer | undefined {
    return this.#external[colour];
  }

  /** Where the declaration has it as a Cluster of CloudNativePG. */
  cnpg(colour: Colour): CnpgServer | undefined {
    const server = this.#external[colour];
    return server && 'standbys' in server ? server : undefined;
  }

  async standbys(colour: Colour): Promise<readonly ConnectionSettings[]> {
    return (await this.cnpg(colour)?.standbys()) ?? [];
  }

  async keptRoles(colour: Colour): Promise<readonly string[]> {
    return (await this.cnpg(colour)?.keptRoles()) ?? [];
  }

  dumper(colour: Colour): ((args: readonly string[]) => Promise<string>) | undefined {
    const server = this.cnpg(colour);
    return server && ((args) => server.dump(args));
  }

  close(): void {
    for (const colour of colours) this.cnpg(colour)?.close();
  }

  seeding(from: Colour, to: Colour): 'physical' | 'logical' | 'standby' | 'prepared' {
    if (this.#method === 'standby' || this.#method === 'prepared') return this.#method;
    return this.ownsStorage(from) && this.ownsStorage(to) ? 'physical' : 'logical';
  }

  ownsStorage(colour: Colour): boolean {
    return this.external(colour) === undefined;
  }

  observe(colour: Colour): Promise<ServerObservation | undefined> {
    return this.#of(colour).observe(colour);
  }

  connection(colour: Colour): Promise<ConnectionSettings> {
    return this.#of(colour).connection(colour);
  }

  readerConnection(colour: Colour): Promise<ConnectionSettings> {
    return this.#of(colour).readerConnection(colour);
  }

  /** A server elsewhere does not come through a socket of this machine. */
  async conninfo(colour: Colour): Promise<string> {
    if (this.external(colour) || this.ownsStorage(other(colour))) return this.#of(colour).conninfo(colour);
    const { port } = await this.local.connection(colour);
    return `host=${this.#reachedAt[colour] ?? '127.0.0.1'} port=${port} password=${await this.#replication()}`;
  }

  async replicationPassword(): Promise<string | undefined> {
    return colours.every((colour) => this.ownsStorage(colour)) ? undefined : this.#replication();
  }

  async #replication(): Promise<string> {
    return newest((await ownPasswords(this.#places)).replication);
  }

  /** Where the router finds a colour. */
  async upstream(colour: Colour): Promise<Upstream | undefined> {
    const external = this.external(colour);
    return external ? external.upstream() : this.local.upstream(colour);
  }

  empty(colour: Colour, options: EmptyOptions): Promise<void> {
    return this.external(colour)?.empty(options) ?? this.local.empty(colour, options);
  }

  async follow(colour: Colour, options: EmptyOptions): Promise<void> {
    const external = this.external(colour);
    if (!external) throw new Error('checked where the declaration is read');
    await external.follow(options);
  }

  async snapshot(
    colour: Colour,
    name: string,
    backup: BackupMode,
    onBytes: (bytes: number) => void,
  ): Promise<SnapshotFacts> {
    this.#requireOurs(colour, 'a snapshot');
    return this.local.snapshot(colour, name, backup, onBytes);
  }

  removeSnapshot(name: string): Promise<void> {
    return this.local.removeSnapshot(name);
  }

  snapshots(): Promise<string[]> {
    return this.local.snapshots();
  }

  async restore(colour: Colour, snapshot: string, options: RestoreOptions): Promise<void> {
    this.#requireOurs(colour, 'the restoring of a snapshot');
    return this.local.restore(colour, snapshot, options);
  }

  async unpark(colour: Colour): Promise<void> {
    this.#requireOurs(colour, 'a restart with other settings');
    return this.local.unpark(colour);
  }

  start(colour: Colour): Promise<void> {
    return this.#of(colour).start(colour);
  }

  async stop(colour: Colour, mode: 'fast' | 'immediate', generation?: number): Promise<void> {
    this.#requireOurs(colour, 'a stop');
    return this.local.stop(colour, mode, generation);
  }

  remove(colour: Colour, generation: number | undefined, asBefore?: AsBefore): Promise<string | void> {
    return this.external(colour)?.remove(generation, asBefore) ?? this.local.remove(colour, generation);
  }

  /** Of a server that this machine has the log of. */
  async logFile(colour: Colour): Promise<string> {
    this.#requireOurs(colour, 'its log');
    return this.local.logFile(colour);
  }

  /** Folder of the programs of its installation, where that is one of this machine. */
  async programs(colour: Colour): Promise<string | undefined> {
    return this.external(colour) ? undefined : this.local.programs(colour);
  }

  async applyError(colour: Colour): Promise<string | undefined> {
    return this.external(colour) ? undefined : this.local.applyError(colour);
  }

  async facts(colour: Colour): Promise<{ walOnOtherVolume: boolean }> {
    return this.external(colour) ? { walOnOtherVolume: false } : this.local.facts(colour);
  }

  supports(major: number): Promise<void> {
    return this.local.supports(major);
  }

  #of(colour: Colour): Pick<Servers, 'observe' | 'connection' | 'readerConnection' | 'conninfo' | 'start'> {
    return this.external(colour) ?? this.local;
  }

  #requireOurs(colour: Colour, what: string): void {
    const external = this.external(colour);
    if (external) throw external.notOurs(what);
  }
}
