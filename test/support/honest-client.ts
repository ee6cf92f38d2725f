import { setTimeout as delay } from 'node:timers/promises';
import type { CredentialStore } from '../../src/platform/port/credentials.ts';
import type { Traffic } from '../../src/platform/port/traffic.ts';
import { one } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';

interface Path {
  readonly credentials: CredentialStore;
  readonly traffic: Traffic;
}

/** Logs in along the clients' path; who he is there, and who that is in the database. */
export async function logIn(
  { traffic }: Pick<Path, 'traffic'>,
  login: { readonly login: string; readonly password: string },
  database = 'shop',
): Promise<{ login: string; role: string }> {
  const [host = '', port = ''] = (await traffic.status()).address.split(':');
  return withClient(
    { host, port: Number(port), user: login.login, password: login.password, database },
    'client',
    (client) => one(client, 'SELECT session_user::text AS login, current_user::text AS role'),
  );
}

/**
 * A client for each role that reads its login where it is kept, logs in with it and leaves, again and again while `use`
 * runs. Returns how often, and every login that failed.
 */
export async function withHonestClients(
  path: Path,
  roles: readonly string[],
  use: () => Promise<void>,
): Promise<{ logins: number; failed: string[] }> {
  let [stop, logins] = [false, 0];
  const failed: string[] = [];
  const live = async (role: string): Promise<void> => {
    while (!stop) {
      const known = await path.credentials.read(role);
      if (!known) throw new Error(`nothing is kept for ${role}`);
      try {
        const seen = await logIn(path, known.current);
        logins += 1;
        if (seen.role !== role) failed.push(`${seen.login} is ${seen.role}`);
      } catch (error) {
        failed.push(`${known.current.login}: ${String(error)}`);
      }
      await delay(5);
    }
  };
  const all = roles.map(live);
  try {
    await use();
  } finally {
    stop = true;
    await Promise.all(all);
  }
  return { logins, failed };
}
