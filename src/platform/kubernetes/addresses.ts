import { objectNames } from '../../manifests/names.ts';
import { tlsMount } from '../../manifests/settings.ts';
import { other, type Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { operatorRole, readerRole } from '../../model/names.ts';
import { waitFor } from '../../model/wait.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { refusalAt } from '../../postgres/dial.ts';
import { operatorLogin } from '../operator-login.ts';
import type { Cluster } from './cluster.ts';
import type { Reach } from './reach.ts';
import type { Secrets } from './secrets.ts';
import type { ColourSets } from './sets.ts';
import type { Trust } from './trust.ts';

/** Milliseconds until a server that is ready must be reached. */
const reachLimit = 30_000;

/** How the servers of both colours are connected to: from here, and from each other. */
export class ColourAddresses {
  readonly #environment: Environment;
  readonly #cluster: Cluster;
  readonly #secrets: Secrets;
  readonly #reach: Reach;
  readonly #trust: Trust;
  readonly #sets: ColourSets;
  readonly #encrypted = new Set<Colour>();

  constructor(
    environment: Environment,
    cluster: Cluster,
    secrets: Secrets,
    reach: Reach,
    trust: Trust,
    sets: ColourSets,
  ) {
    this.#environment = environment;
    this.#cluster = cluster;
    this.#secrets = secrets;
    this.#reach = reach;
    this.#trust = trust;
    this.#sets = sets;
  }

  /** Whether a colour's server was made with a certificate; one that was has it as long as TLS is declared. */
  async encrypted(colour: Colour): Promise<boolean> {
    if (!this.#environment.kubernetes.tls) return false;
    if (!this.#encrypted.has(colour) && (await this.#sets.encrypted(colour))) this.#encrypted.add(colour);
    return this.#encrypted.has(colour);
  }

  async #address(colour: Colour): Promise<Pick<ConnectionSettings, 'host' | 'port' | 'tls'>> {
    const host = this.#host(colour);
    const [address, encrypted] = [
      await this.#reach.address(await this.#sets.pod(colour), 5432, host),
      await this.encrypted(colour),
    ];
    return encrypted ? { ...address, tls: await this.#trust.of(host) } : address;
  }

  /** A pod that is ready is reached by its Service only once its node's rules say so, moments later. */
  async untilReached(colour: Colour): Promise<void> {
    const { host, port } = await this.#address(colour);
    let last: string | undefined;
    await waitFor(
      async () => ((last = await refusalAt(host, port)) === undefined ? true : undefined),
      {
        limit: reachLimit,
        every: 50,
        slowest: 500,
        what: `an answer at ${host}:${port}`,
        next: 'see whether a NetworkPolicy or the mesh keeps this pod from it; the same command continues from here.',
      },
      () => last ?? '',
    );
  }

  async reader(colour: Colour): Promise<ConnectionSettings> {
    return {
      ...(await this.#address(colour)),
      user: readerRole,
      password: await this.#secrets.reader(),
      others: async () => (await this.#secrets.readersAgain()).map((password) => ({ password })),
      database: 'postgres',
      passwordFrom: `the Secret ${this.#cluster.namespace}/${objectNames.readerSecret(this.#environment.name)}, key password`,
    };
  }

  async operator(colour: Colour): Promise<ConnectionSettings> {
    return {
      ...(await this.#address(colour)),
      user: operatorRole,
      superuser: true,
      ...(await operatorLogin((again) => (again ? this.#secrets.ownAgain('operator') : this.#secrets.own('operator')))),
      database: 'postgres',
      passwordFrom: `the Secret ${this.#cluster.namespace}/${objectNames.operatorSecret(this.#environment.name)}, key password`,
    };
  }

  async conninfo(colour: Colour): Promise<string> {
    const [sender, receiver] = [await this.encrypted(colour), await this.#sets.place(other(colour))];
    // A receiver that was made before TLS was declared does not know who signs.
    const knows = receiver === undefined || (await this.encrypted(other(colour)));
    const mode = knows ? `verify-full sslrootcert=${tlsMount}/ca.crt` : 'require';
    const verified = sender ? ` sslmode=${mode}` : '';
    return `host=${this.#host(colour)} port=5432 password=${await this.#secrets.replication()}${verified}`;
  }

  #host(colour: Colour): string {
    return `${this.#sets.name(colour)}.${this.#cluster.namespace}.svc`;
  }
}
