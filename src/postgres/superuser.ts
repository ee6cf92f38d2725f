import { one, type Client } from './client.ts';

/**
 * Whether this session may do everything. Elsewhere, as on managed services, Verdigris does what its rights allow: the
 * fence closes by them, roles that are superusers are not its to read or carry, and nobody grants in another's name.
 */
export async function isSuperuser(client: Client): Promise<boolean> {
  const before = known.get(client);
  if (before !== undefined) return before;
  // A utility statement: no name in it is looked up, whosever SQL the session is for.
  const { is_superuser: answer } = await one<{ is_superuser: string }>(client, 'SHOW is_superuser');
  known.set(client, answer === 'on');
  return answer === 'on';
}

/** Asked once a session: clients wait. */
const known = new WeakMap<Client, boolean>();
