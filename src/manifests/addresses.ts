import type { Environment } from '../model/environment.ts';
import { objectNames } from './names.ts';
import { readersDatabase } from './pooler-settings.ts';

type Declared = Pick<Environment, 'name' | 'database' | 'kubernetes'>;

/** Where clients connect, without user and password. */
export interface Addresses {
  /** Writes, through the pooler. */
  readonly rw: string;
  /** Reads, through the pooler, with the canary's share. */
  readonly ro: string;
}

export function clientAddresses({ name, database, kubernetes: { namespace } }: Declared): Addresses {
  const at = (named: string): string =>
    `postgresql://${objectNames.pooler(name)}.${namespace}.svc:5432/${encodeURIComponent(named)}`;
  return { rw: at(database), ro: at(readersDatabase(database)) };
}

/** Names of the Secrets by role. */
export function clientSecrets({ name, roles }: Pick<Environment, 'name' | 'roles'>): Record<string, string> {
  return Object.fromEntries(
    [...roles.application, ...roles.readers].map((role) => [role, objectNames.roleSecret(name, role)]),
  );
}
