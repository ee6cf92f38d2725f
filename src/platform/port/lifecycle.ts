import type { Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import type { Client } from '../../postgres/client.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';

/** How an environment comes to be and goes, on a platform of the type `P`. */
export interface Lifecycle<P> {
  /**
   * Makes the environment. Where its first colour comes from the declaration says: from nothing; adopted, a server that
   * exists and serves on; provisioned, a copy of another environment's. Then roles with passwords, the clients' path,
   * and last the journal, whose presence says that all the rest is there: cut short, it is repeated; where there is
   * one, nothing is made.
   */
  create(options: CreateOptions): Promise<Created>;
  /**
   * A throw-away environment whose live colour is a copy, taken now, of `of`'s live colour. Whoever calls keeps the
   * original's log meanwhile, by a slot that is older.
   */
  clone(of: Environment, signal: AbortSignal): Promise<Clone<P>>;
  /** Removes the environment with all that Verdigris made for it, the journal last. Says what is left, for people. */
  destroy(live: Colour): Promise<readonly string[]>;
}

export interface CreateOptions {
  /** The declaration as it was written, for recoveries that nobody calls. */
  readonly raw: unknown;
  /**
   * Fills the new database, as superuser, before anybody can connect. Run again where an earlier creation was cut
   * short.
   */
  readonly fill?: (client: Client) => Promise<void>;
}

export interface Created {
  /** Whether there was anything to make. */
  readonly created: boolean;
  /** Role to password, of the roles that the declaration names, where the platform hands them out. */
  readonly credentials: Readonly<Record<string, string>>;
}

export interface Clone<P> {
  readonly environment: Environment;
  readonly platform: P;
  /** Connects through the clone's own address, as a role of the declaration. */
  readonly as: (role: string) => ConnectionSettings;
  readonly destroy: () => Promise<void>;
}
