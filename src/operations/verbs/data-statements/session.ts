import type { Ran } from '../../../migrations/data/statement.ts';
import { dropLogin } from '../../../postgres/owner-login.ts';
import type { Client } from '../../../postgres/client.ts';
import type { Context } from '../../engine/context.ts';
import { withOwner } from '../../engine/owner-session.ts';
import { heldOwner } from './owner.ts';

/** What a switchover of this process has looked at: nothing is held back, or a session in which it will run. */
interface Session {
  readonly client: Client;
  /** Once its transaction is open: what ran in it. */
  ran: readonly Ran[] | undefined;
  readonly close: () => Promise<void>;
}
export const dataSessions = new WeakMap<Context, Session | 'nothing'>();

/** A session for the user's SQL that stays open over steps: clients must not wait for its connection. */
export async function openSession(c: Context): Promise<Session> {
  const opened = Promise.withResolvers<Client>();
  const closing = Promise.withResolvers<void>();
  const ended = withOwner(c, c.idle, await heldOwner(c, c.idle), async (client) => {
    opened.resolve(client);
    await closing.promise;
  });
  ended.catch(opened.reject);
  return {
    client: await opened.promise,
    ran: undefined,
    close: () => {
      closing.resolve();
      return ended.catch(() => undefined);
    },
  };
}

/** Ends the session of this process, where it has one. */
export async function closeSession(c: Context): Promise<void> {
  const session = dataSessions.get(c);
  dataSessions.delete(c);
  if (session !== undefined && session !== 'nothing') await session.close();
}

/** As `closeSession`, of whichever process had it: its login goes with it. */
export async function undoSession(c: Context): Promise<void> {
  await closeSession(c);
  await c.ifRunning(c.idle, (client) => dropLogin(client));
}
