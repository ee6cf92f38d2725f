import type { Environment } from '../../model/environment.ts';
import { tlsOf, type PgBouncerDeclaration, type TrafficDeclaration } from '../../model/server-kinds.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { DeclaredLogin } from '../declared-login.ts';
import { readSecret, secretName } from '../external/secret.ts';
import { Console } from '../poolers/console.ts';
import { Consoles, poolerUnreachable, type Replica } from '../poolers/consoles.ts';

/** A PgBouncer that others run. */
export interface PgBouncer extends Replica {
  /** Its configuration file that has the entries. */
  readonly config: string;
}

/** A row of SHOW DATABASES. */
export interface ShownDatabase {
  readonly name: string;
  readonly host: string | null;
  readonly port: number | string;
  readonly database: string;
  readonly pool_mode: string | null;
}

/** All PgBouncers that the declaration names, by their admin consoles. */
export class PgBouncers extends Consoles {
  readonly all: readonly PgBouncer[];
  readonly #environment: Environment;
  readonly #declared: TrafficDeclaration;
  readonly #login: DeclaredLogin;

  constructor(environment: Environment, declared: TrafficDeclaration) {
    super();
    this.#environment = environment;
    this.#declared = declared;
    this.#login = new DeclaredLogin(environment.roles.application[0] ?? '');
    this.all = (declared.pgbouncers ?? []).map(pgbouncer);
  }

  get user(): string {
    return this.#declared.user ?? '';
  }

  get databases(): readonly string[] {
    return this.#declared.databases ?? [this.#environment.database];
  }

  required(): Promise<Replica[]> {
    return Promise.resolve([...this.all]);
  }

  shown(replica: Replica): Promise<ShownDatabase[]> {
    return this.say<ShownDatabase>(replica, 'SHOW DATABASES');
  }

  async open(replica: Replica, purpose: string): Promise<Console> {
    const { user, password } = this.#declared;
    if (user === undefined || password === undefined) throw new Error('checked where the declaration is read');
    const secret = { password: await readSecret(password), passwordFrom: secretName(password) };
    try {
      return await Console.open({ ...replica.address, user, ...secret }, purpose);
    } catch (cause) {
      throw poolerUnreachable(
        `PgBouncer ${replica.pod} does not let ${user} in`,
        `start it, name ${user} in its admin_users with this password, or take it out of traffic.pgbouncers where it is gone for good.`,
        { pooler: replica.pod },
        cause,
      );
    }
  }

  /** As a client comes, by an entry: as a role that applications have. */
  async asClient<T>(replica: Replica, database: string, use: (settings: ConnectionSettings) => Promise<T>): Promise<T> {
    const { roles, local } = this.#environment;
    const source = local.passwords[roles.application[0] ?? ''];
    const password = source && (await readSecret(source));
    return this.#login.by((user) =>
      use({ ...replica.address, user, database, ...(password === undefined ? {} : { password }) }),
    );
  }
}

function pgbouncer({ host, port, config, sslmode = 'disable', ca }: PgBouncerDeclaration): PgBouncer {
  return { pod: `${host}:${port}`, address: { host, port, ...tlsOf({ sslmode, ca }) }, config };
}
