import { one, type Client } from './client.ts';

/**
 * Whether this session may do everything. Elsewhere, as on managed services, Verdigris does what its rights allow: the
 * fence closes by them, roles that are superusers are not its to read or carry, and nobody grants in another's name.
 */
export async function isSuperuser(client: Client): Promise<boolean> {
  const before = known.get(client);
  if (before !== undefined) return before;
  const { is } = await one<{ is: boolean }>(client, "SELECT current_setting('is_superuser') = 'on' AS is");
  known.set(client, is);
  return is;
}

/** Asked once a session: clients wait. */
const known = new WeakMap<Client, boolean>();
