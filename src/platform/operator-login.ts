import { newest, type OwnPassword } from '../model/own-passwords.ts';
import { one, type Client } from '../postgres/client.ts';
import type { ConnectionSettings } from '../postgres/connection.ts';
import { setOperatorPassword } from '../postgres/own-logins.ts';

/**
 * The operator's password, and those that a server may have in its place: during a rotation, or as a copy or a colour
 * that was down. One that is met with an earlier password is given the present one, so that no earlier one stays good
 * anywhere. `again`: they may have changed since they were read.
 */
export async function operatorLogin(
  read: (again: boolean) => Promise<OwnPassword>,
): Promise<Pick<ConnectionSettings, 'password' | 'others'>> {
  const { current } = await read(false);
  return {
    password: current,
    others: async () => {
      const now = await read(true);
      const renew = (client: Client): Promise<void> => renewed(client, newest(now));
      return [
        ...[now.current, now.next].flatMap((password) => (password === undefined ? [] : [{ password }])),
        ...now.before.map((password) => ({ password, renew })),
      ];
    },
  };
}

/** A parked copy takes no statement that writes; it is met again once it is promoted. */
async function renewed(client: Client, password: string): Promise<void> {
  const { parked } = await one<{ parked: boolean }>(client, 'SELECT pg_is_in_recovery() AS parked');
  if (!parked) await setOperatorPassword(client, password);
}
