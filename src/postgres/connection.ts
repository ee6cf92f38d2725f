import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type pg from 'pg';
import type { OtherPassword } from './other-passwords.ts';
import type { Lens } from './part/lens.ts';
import { omit } from '../model/omit.ts';

/** Where and as whom a connection is made. A socket directory in `host` is fine, as libpq has it. */
export interface ConnectionSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string;
  readonly database: string;
  /** Left out where nothing lies between: a socket of this machine, a tunnel. */
  readonly tls?: TlsSettings;
  /** For whoever only looks: a write is refused by the server, whatever the code believes. */
  readonly readOnly?: true;
  /** Where the password is from, for the error of a wrong one. */
  readonly passwordFrom?: string;
  /**
   * Asked where the server refuses `password`: a rotation changes it, or has changed it while this server was not
   * there.
   */
  readonly others?: () => Promise<readonly OtherPassword[]>;
  /** Tables that are declared as a migration tool's history, as `schema.table`: no data, as those that are known. */
  readonly history?: readonly string[];
  /** Where only a part of the database is of the release: how Verdigris's own sessions see it. */
  readonly lens?: Lens | undefined;
  /** Whether the operator's role was made by Verdigris, as a superuser. */
  readonly superuser?: true;
}

/**
 * As libpq has it: `require` takes any certificate, `verify-ca` one that is signed, `verify-full` that of the very
 * host.
 */
export interface TlsSettings {
  readonly mode: 'require' | 'verify-ca' | 'verify-full';
  /** PEM file of those who may have signed it; else those that Node.js knows. */
  readonly ca?: string;
  /** The name that the certificate is for, where `host` is another: a tunnel's end. */
  readonly servername?: string;
}

/** A folder of sockets, or loopback. */
const ownMachine = /^(?:\/|127\.[\d.]+$|::1$|localhost$)/;

/**
 * Where and as whom, and how encrypted, as node-postgres takes it: from the environment (PGSSLMODE) it would ask TLS of
 * this machine's servers too, which have none where none is declared.
 */
export async function driverSettings(settings: ConnectionSettings): Promise<pg.ClientConfig> {
  const { tls, ...given } = omit(settings, 'passwordFrom', 'others', 'readOnly', 'history', 'superuser', 'lens');
  if (tls !== undefined) return { ...given, ssl: await tlsOptions(tls) };
  return ownMachine.test(given.host) ? { ...given, ssl: false } : given;
}

/** For node:tls. */
async function tlsOptions({ mode, ca, servername }: TlsSettings): Promise<ConnectionOptions> {
  return {
    rejectUnauthorized: mode !== 'require',
    ...(ca === undefined ? {} : { ca: await readFile(ca, 'utf8') }),
    // An address is no name to ask for, and the certificate has it all the same.
    ...(servername === undefined ? {} : isIP(servername) ? { host: servername } : { servername }),
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}
