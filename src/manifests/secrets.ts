import type { Environment } from '../model/environment.ts';
import type { LoginSecret } from '../model/logins.ts';
import { operatorRole, readerRole, replicationRole } from '../model/names.ts';
import { serviceHost } from './certificates.ts';
import type { Manifest } from './manifest.ts';
import { consoleReader } from './pooler-users.ts';
import { domain, metadata, objectNames } from './names.ts';

type Declared = Pick<Environment, 'name' | 'database' | 'kubernetes'>;

/**
 * Passwords of Verdigris's own roles. The replication role's is in subscriptions, which only superusers can read.
 */
export interface OperatorPasswords {
  readonly operator: string;
  readonly replication: string;
  /** Of the pooler's admin console. */
  readonly console: string;
}

function secret(
  environment: Declared,
  name: string,
  data: Record<string, string>,
  annotations?: Record<string, string>,
): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadata(environment, 'database', name, {}, annotations),
    type: 'Opaque',
    stringData: data,
  };
}

export function operatorSecret(environment: Declared, { operator, replication, console }: OperatorPasswords): Manifest {
  return secret(environment, objectNames.operatorSecret(environment.name), {
    username: operatorRole,
    password: operator,
    'replication-username': replicationRole,
    'replication-password': replication,
    'console-password': console,
  });
}

/** Of who can only read: all that a process which only looks may have. */
export interface ReaderPasswords {
  readonly reader: string;
  /** Of the pooler's admin console, by whom what it shows is seen. */
  readonly console: string;
}

export function readerSecret(environment: Declared, { reader, console }: ReaderPasswords): Manifest {
  return secret(environment, objectNames.readerSecret(environment.name), {
    username: readerRole,
    password: reader,
    'console-username': consoleReader,
    'console-password': console,
  });
}

/**
 * What an application needs to connect, under the names that libpq's and most frameworks' environment variables have.
 */
export function roleSecret(environment: Declared, role: string, { login, password }: LoginSecret): Manifest {
  const {
    name,
    database,
    kubernetes: { tls },
  } = environment;
  const [u, p, d] = [login, password, database].map(encodeURIComponent);
  const host = serviceHost(environment, objectNames.pooler(name));
  return secret(
    environment,
    objectNames.roleSecret(name, role),
    {
      username: login,
      password,
      host,
      port: '5432',
      dbname: database,
      uri: `postgresql://${u}:${p}@${host}:5432/${d}${tls ? '?sslmode=verify-full' : ''}`,
      ...(tls ? { sslmode: 'verify-full' } : {}),
    },
    { [`${domain}/role`]: role },
  );
}
