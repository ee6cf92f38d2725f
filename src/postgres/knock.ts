import { knockRole } from '../model/names.ts';
import { waitFor } from '../model/wait.ts';
import type { Client } from './client.ts';
import { withOwnSession } from './session.ts';

/**
 * invalid_authorization_specification: pg_hba.conf refuses, which it says by its name in every language; or the role
 * may not log in.
 */
const refused = '28000';
/** insufficient_privilege: no CONNECT on the database. */
const noConnect = '42501';

/**
 * Tries to get in as a role that was closed, by the path of `client`, where pg_hba.conf is ours: it must refuse before
 * anything else is asked, which also proves that the server has read it. Elsewhere nothing can be proved so: a server
 * that asks for a password says nothing.
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

/**
 * Tries to get in as a role that an operator without pg_hba.conf has just closed as he closed everybody else, with its
 * right password: what refuses it is NOLOGIN or the missing CONNECT, and nothing before.
 * @throws VerdigrisError `fence-leaks` after `limit` ms.
 */
export async function proveClosed(client: Client, password: string, limit: number): Promise<void> {
  let answer = '';
  await waitFor(
    async () => {
      const { code, message } = await knock(client, knockRole, password);
      answer = message;
      return code === refused || code === noConnect ? true : undefined;
    },
    {
      limit,
      every: 1,
      slowest: 4,
      id: 'fence-leaks',
      what: `a refusal of ${knockRole}, closed as all others are`,
      next: 'find out what stands between Verdigris and this server (a pooler, another server), and connect to the server itself.',
    },
    () => answer,
  );
}

async function knock(client: Client, user: string, password?: string): Promise<{ code?: string; message: string }> {
  const { host, port, database = '', ssl } = client;
  // As encrypted as the session that asks: a server that takes nothing else would refuse for that.
  const settings = {
    host,
    port,
    database,
    user,
    ...({ ssl } as object),
    ...(password === undefined ? {} : { password }),
  };
  return withOwnSession(settings, 'knock', () => Promise.resolve({ message: `${user} was let in` })).catch(
    (error: unknown) => error as { code?: string; message: string },
  );
}
