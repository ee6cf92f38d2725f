import { waitFor } from '../model/wait.ts';
import { withOwnSession, type Client } from './client.ts';

/** invalid_authorization_specification: pg_hba.conf refuses, which it says by its name in every language; or the role may not log in. */
const refused = '28000';

/**
 * Tries to get in as a role that was closed, by the path of `client`, where pg_hba.conf is ours: it must refuse before anything else is
 * asked, which also proves that the server has read it. Elsewhere nothing can be proved so: a server that asks for a password says nothing.
 * @throws VerdigrisError `fence-leaks` after `limit` ms.
 */
export async function proveRefused(client: Client, roles: readonly string[], limit: number): Promise<void> {
  const [role] = roles;
  if (role === undefined) return;
  let answer = '';
  await waitFor(
    async () => {
      const seen = await knock(client, role);
      answer = seen.message;
      return seen.code === refused && seen.message.includes('pg_hba.conf') ? true : undefined;
    },
    {
      limit,
      every: 1,
      slowest: 4,
      id: 'fence-leaks',
      what: `a refusal of ${role}`,
      next: 'find out what lets roles in that may not log in (pg_hba.conf), and stop it.',
    },
    () => answer,
  );
}

async function knock(client: Client, user: string): Promise<{ code?: string; message: string }> {
  const { host, port, database = '' } = client;
  return withOwnSession({ host, port, database, user }, 'knock', () =>
    Promise.resolve({ message: `${user} was let in` }),
  ).catch((error: unknown) => error as { code?: string; message: string });
}
