import type { Colour } from '../../model/colours.ts';
import { withOwnerSession, type OwnerSession } from '../../migrations/owner-session.ts';
import type { Client } from '../../postgres/client.ts';
import { migrationOwner } from '../../postgres/owners.ts';
import type { Context } from './context.ts';
import { connectionIn } from '../../platform/connection-in.ts';

/** Whom the user's SQL runs as on a colour; undefined where nobody but the operator may. */
export function ownerOn(c: Context, colour: Colour): Promise<string | undefined> {
  return c.on(colour, (client) => migrationOwner(client, c.environment.roles.owner));
}

/**
 * A session for SQL of the user's that runs as `owner` on a colour: `withOwnerSession` with what the environment
 * declares, and one of the operator's beside it.
 */
export async function withOwner<T>(
  c: Context,
  colour: Colour,
  owner: string | undefined,
  use: (client: Client, operator: Client) => Promise<T>,
  how: Pick<OwnerSession, 'login' | 'quietly'> = {},
): Promise<T> {
  const connection = await connectionIn(c.platform.servers, colour, c.environment.database);
  const { migrationLock: lockTimeout, migrationStatement: statementTimeout } = c.environment.limits;
  return c.withTheirs(colour, (operator) =>
    withOwnerSession(
      {
        client: operator,
        connection,
        owner,
        lockTimeout,
        statementTimeout,
        connect: (login, inside) => c.connect(login, inside),
        ...how,
      },
      (client) => use(client, operator),
    ),
  );
}
