import { poolerGrace } from '../../manifests/pooler.ts';
import { readersDatabase } from '../../manifests/pooler-settings.ts';
import { consoleReader, consoleUser } from '../../manifests/pooler-users.ts';
import { serviceHost } from '../../manifests/certificates.ts';
import { objectNames, selectorLabels } from '../../manifests/names.ts';
import type { Environment } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { waitFor } from '../../model/wait.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import type { OtherPassword } from '../../postgres/other-passwords.ts';
import type { Cluster } from './cluster.ts';
import { Consoles, poolerUnreachable, type Replica } from '../poolers/consoles.ts';
import { Console, consoleIdent } from '../poolers/console.ts';
import { hasCertificate, type Pod } from './pods.ts';
import type { Reach } from './reach.ts';
import type { Secrets } from './secrets.ts';
import type { Trust } from './trust.ts';

/** The environment's PgBouncers and their admin consoles. */
export class Poolers extends Consoles {
  readonly #environment: Environment;
  readonly #cluster: Cluster;
  readonly #secrets: Secrets;
  readonly #reach: Reach;
  readonly #trust: Trust;
  readonly #as: 'operator' | 'reader';

  /** `as`: a reader of the consoles sees what they show, and can change nothing. */
  constructor(
    environment: Environment,
    cluster: Cluster,
    secrets: Secrets,
    reach: Reach,
    trust: Trust,
    as: 'operator' | 'reader' = 'operator',
  ) {
    super();
    this.#as = as;
    this.#trust = trust;
    this.#environment = environment;
    this.#cluster = cluster;
    this.#secrets = secrets;
    this.#reach = reach;
  }

  /** The databases that clients use, and that are paused. */
  get databases(): readonly string[] {
    return [this.#environment.database, readersDatabase(this.#environment.database)];
  }

  async pods(): Promise<Pod[]> {
    const found = await this.#cluster.list<Pod>('Pod', selectorLabels(this.#environment, 'pooler'));
    // One on a node that is lost may still serve those who reach it.
    return found.filter(({ status }) => status?.phase === 'Running' || status?.phase === 'Unknown');
  }

  /** Every replica that may have clients: one that is being ended serves those it has until they leave. */
  async replicas(): Promise<Replica[]> {
    return Promise.all(
      (await this.pods()).map(async ({ metadata: { name }, spec, status }) => {
        const address = await this.#reach.address(name, 6432, status?.podIP ?? '');
        return {
          pod: name,
          address: hasCertificate(spec) ? { ...address, tls: await this.#trust.of(this.host) } : address,
        };
      }),
    );
  }

  /** By which clients reach the poolers, and that their certificate is for. */
  get host(): string {
    return serviceHost(this.#environment, objectNames.pooler(this.#environment.name));
  }

  /** As `replicas`; throws where there is none: then nobody could be held. */
  async required(): Promise<Replica[]> {
    const found = await this.replicas();
    if (found.length > 0) return found;
    throw new VerdigrisError('no-pooler', {
      seen: `No pod of the Deployment ${this.#cluster.namespace}/${objectNames.pooler(this.#environment.name)} runs.`,
      required: 'at least one pooler.',
      next: 'see `kubectl describe deployment`; nothing was changed.',
    });
  }

  /**
   * Until no pooler is being ended: its console may be silent already while it still has clients. It has its grace and
   * no longer.
   */
  async settled(): Promise<void> {
    await waitFor(
      async () => {
        const going = (await this.pods()).filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
        return going.length === 0 ? true : undefined;
      },
      {
        limit: (poolerGrace + 15) * 1_000,
        every: 200,
        slowest: 1_000,
        what: `the end of the poolers of ${this.#cluster.namespace} that are being ended`,
        next: 'see `kubectl describe pod`; nothing was changed.',
      },
    );
  }

  async open(replica: Replica, purpose: string): Promise<Console> {
    try {
      return await Console.open({ ...replica.address, ...(await this.#login()) }, purpose);
    } catch (cause) {
      throw poolerUnreachable(
        `the pooler ${this.#cluster.namespace}/${replica.pod} does not answer`,
        'see its log; a pod that hangs is replaced by deleting it.',
        { pod: replica.pod },
        cause,
      );
    }
  }

  async #login(): Promise<Pick<ConnectionSettings, 'user' | 'password' | 'others'>> {
    const named = (passwords: readonly string[]): OtherPassword[] => passwords.map((password) => ({ password }));
    if (this.#as === 'reader')
      return {
        user: consoleReader,
        password: await this.#secrets.consoleReader(),
        others: async () => named(await this.#secrets.readersAgain('console')),
      };
    return {
      user: consoleUser,
      password: (await this.#secrets.own('console')).current,
      others: async () => {
        const { current, next } = await this.#secrets.ownAgain('console');
        return named(next === undefined ? [current] : [current, next]);
      },
    };
  }

  /**
   * Has every connection of a replica to the servers made again, each once nobody is in a transaction on it. False, and
   * nothing done, while one is just being made: RECONNECT cuts a login short, and PgBouncer passes that on to clients
   * as an error (seen).
   */
  async reconnect(replica: Replica, database: string): Promise<boolean> {
    const pools = await this.say<{ database: string; sv_login: unknown }>(replica, 'SHOW POOLS');
    if (pools.some((pool) => pool.database === database && Number(pool.sv_login) > 0)) return false;
    await this.say(replica, `RECONNECT ${consoleIdent(database)}`);
    return true;
  }

  /** A client's connection through one replica, as a role that applications have. */
  async client(replica: Replica, role: string, database: string): Promise<ConnectionSettings> {
    const { login, password } = await this.#secrets.login(role);
    return { ...replica.address, user: login, password, database };
  }
}
