import { quietSettings } from '../model/quiet-settings.ts';
import { withTransaction, type Client } from './client.ts';
import { isSuperuser } from './superuser.ts';

/**
 * Runs `use` in a transaction whose statements come into no log and no statistics: for a secret that a server must be
 * given in plain text.
 */
async function secretly(client: Client, use: () => Promise<void>): Promise<void> {
  await withTransaction(client, async () => {
    await client.query(quietSettings('SET LOCAL').join('; '));
    await use();
  });
}

/**
 * As `secretly`, for what is no secret by itself: a verifier is kept out of a log where that is the session's to
 * decide.
 */
export async function quietly(client: Client, use: () => Promise<void>): Promise<void> {
  await ((await isSuperuser(client)) ? secretly : withTransaction)(client, use);
}
