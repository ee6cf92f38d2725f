import { one, type Client } from './client.ts';
import { literal } from './quote.ts';

/**
 * Runs statements of Verdigris's own in a session for the user's SQL as the login itself: what the user's SQL runs as
 * has no rights in Verdigris's schema. Afterwards the session is what it was, by the login's own right to become it.
 */
export async function asLogin<T>(client: Client, use: () => Promise<T>): Promise<T> {
  // A utility statement: nothing in it is looked up.
  const { role } = await one<{ role: string }>(client, 'SHOW role');
  if (role === 'none') return use();
  await client.query("SET role = 'none'");
  const again = `SET role = ${literal(role)}`;
  const result = await use().catch(async (error: unknown) => {
    // In a transaction that failed the rollback brings it back.
    await client.query(again).catch(() => undefined);
    throw error;
  });
  await client.query(again);
  return result;
}
