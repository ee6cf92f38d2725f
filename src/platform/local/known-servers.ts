import type { Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { otherGeneration } from '../other-generation.ts';
import type { Account } from './account.ts';
import { findBinaries, type Binaries } from './binaries.ts';
import type { Places } from './places.ts';
import { foundServers } from './found-servers.ts';
import { freePort } from './ports.ts';
import { Records, type ServerRecord } from './records.ts';
import type { Server } from './server.ts';
import { chooseSockets, legacySockets } from './sockets.ts';
import { noColour } from '../../model/failures.ts';

/** The servers that are written down, with what it takes to work with each. */
export class KnownServers {
  readonly records: Records;
  readonly #environment: Pick<Environment, 'colours'>;
  readonly #places: Places;
  readonly #account: Account | undefined;
  readonly #binaries = new Map<number, Promise<Binaries>>();

  constructor(environment: Pick<Environment, 'colours'>, places: Places, account: Account | undefined) {
    this.#environment = environment;
    this.#places = places;
    this.#account = account;
    this.records = new Records(places.servers, places.legacyServers, () => foundServers(places.root));
  }

  /** Undefined of a colour that has none. */
  async find(colour: Colour): Promise<Server | undefined> {
    const found = (await this.records.read())[colour];
    return found && this.describe(colour, found);
  }

  async need(colour: Colour): Promise<Server> {
    const server = await this.find(colour);
    if (!server) throw noColour(colour);
    return server;
  }

  async describe(colour: Colour, found: ServerRecord): Promise<Server> {
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
  async make(colour: Colour, generation: number, major: number): Promise<Server> {
    const there = (await this.records.read())[colour];
    if (there?.generation === generation) return this.describe(colour, there);
    const sockets = await chooseSockets(this.#places.root, `${colour}-${generation}`);
    const made: ServerRecord = { generation, major, port: await freePort(), sockets };
    let record = made;
    await this.records.change((records) => {
      const known = records[colour];
      // Generations are never used again: one that is newer was made by somebody with a newer lease.
      if (known && known.generation > generation) throw otherGeneration(colour, generation, known.generation);
      record = known?.generation === generation ? known : made;
      return record === made ? { ...records, [colour]: made } : undefined;
    });
    return this.describe(colour, record);
  }
}
