import { colours } from '../../model/colours.ts';
import type { OwnName, OwnPassword } from '../../model/own-passwords.ts';
import type { OwnPasswords } from '../external/record.ts';
import type { OwnCredentials } from '../port/credentials.ts';
import { keepOwnPassword, ownPasswords } from './external-store.ts';
import type { MachineServers } from './machine-servers.ts';
import type { Places } from './places.ts';

/** On servers that others run. Those of this machine let Verdigris in through a folder that nobody else may enter. */
export class LocalOwnCredentials implements OwnCredentials {
  readonly #places: Places;
  readonly #servers: MachineServers;

  constructor(places: Places, servers: MachineServers) {
    this.#places = places;
    this.#servers = servers;
  }

  /** The operator's is somebody else's to change where the declaration names it. */
  async names(): Promise<(keyof OwnPasswords)[]> {
    const outside = colours.flatMap((colour) => this.#servers.external(colour) ?? []);
    if (outside.length === 0) return [];
    return outside.some((server) => server.ownsOperator) ? ['operator', 'replication'] : ['replication'];
  }

  async read(name: OwnName): Promise<OwnPassword> {
    return (await ownPasswords(this.#places))[kept(name)];
  }

  async write(name: OwnName, password: OwnPassword): Promise<void> {
    await keepOwnPassword(this.#places, kept(name), password);
  }
}

function kept(name: OwnName): keyof OwnPasswords {
  if (name === 'console') throw new Error('a router has no console');
  return name;
}
