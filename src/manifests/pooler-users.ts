import type { Environment } from '../model/environment.ts';
import type { Manifest } from './manifest.ts';
import { metadata, objectNames } from './names.ts';

/** User of the admin console; no role of the database. */
export const consoleUser = 'verdigris_console';

/** Passwords in clear, in a Secret: the pooler must prove them to the server as well as ask clients for them. */
export function userList(credentials: Readonly<Record<string, string>>, console: string): string {
  return Object.entries({ ...credentials, [consoleUser]: console })
    .map(([role, password]) => `${userLine(role, password)}\n`)
    .join('');
}

export function userLine(role: string, password: string): string {
  return `${quoteForPgBouncer(role)} ${quoteForPgBouncer(password)}`;
}

/** Of the poolers' Secret. */
export const userListKey = 'userlist.txt';

export function poolerSecret(
  environment: Pick<Environment, 'name' | 'database' | 'kubernetes'>,
  users: string,
): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadata(environment, 'pooler', objectNames.pooler(environment.name)),
    type: 'Opaque',
    stringData: { [userListKey]: users },
  };
}

/** As PgBouncer's own files have it. */
export function quoteForPgBouncer(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
