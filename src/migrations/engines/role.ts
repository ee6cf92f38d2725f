import { withOwnerLogin, type Login } from '../../postgres/owner-login.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import type { MigrationTarget } from '../engine.ts';

/**
 * The login of a run of migrations. Whoever logs in so becomes the owner at once, or the operator where there is none
 * (the role's setting `role`), so that nothing that a migration makes belongs to the role that goes.
 */
export async function withMigrationRole<T>(
  target: Pick<
    MigrationTarget,
    'client' | 'connection' | 'owner' | 'lockTimeout' | 'statementTimeout' | 'sessionSettings'
  > & { readonly login?: string },
  use: (login: Login) => Promise<T>,
): Promise<T> {
  const { client, connection, login } = target;
  const owner = target.owner ?? connection.user;
  const settings = {
    ...target.sessionSettings,
    role: owner,
    lock_timeout: String(target.lockTimeout),
    statement_timeout: String(target.statementTimeout),
    synchronous_commit: 'local',
    default_transaction_read_only: 'off',
  };
  return withOwnerLogin({ client, connection, owners: [owner], settings, ...(login && { login }) }, use);
}

export function jdbcUrlOf({ host, port, database }: ConnectionSettings): string {
  return `jdbc:postgresql://${host}:${port}/${encodeURIComponent(database)}`;
}
