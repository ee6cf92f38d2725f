import { createHmac } from 'node:crypto';
import type { Environment } from '../model/environment.ts';
import type { Manifest } from './manifest.ts';
import { metadata, objectNames } from './names.ts';

/** User of the admin console; no role of the database. */
export const consoleUser = 'verdigris_console';

/** Sees on the console what it shows, and can change nothing there; no role of the database. */
export const consoleReader = 'verdigris_console_reader';

/** Follows from the console's, so that it changes with that one, and whoever has it does not have that one. */
export function consoleReaderPassword(console: string): string {
  return createHmac('sha256', console).update(consoleReader).digest('base64url');
}

/** Passwords in clear, in a Secret: the pooler must prove them to the server as well as ask clients for them. */
export function userList(credentials: Readonly<Record<string, string>>, console: string): string {
  const own = { [consoleUser]: console, [consoleReader]: consoleReaderPassword(console) };
  return Object.entries({ ...credentials, ...own })
    .map(([role, password]) => `${userLine(role, password)}\n`)
    .join('');
}

export function userLine(role: string, password: string): string {
  return `${quoteForPgBouncer(role)} ${quoteForPgBouncer(password)}`;
}

/** Of a user in such a list. */
export function listedPassword(list: string, user: string): string | undefined {
  const start = `${quoteForPgBouncer(user)} "`;
  const line = list.split('\n').find((each) => each.startsWith(start));
  return line?.slice(start.length, -1).replaceAll('""', '"');
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
