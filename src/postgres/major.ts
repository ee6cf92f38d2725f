import { one, type Client } from './client.ts';

/** Kept for a session's life: clients wait while some of its users ask. */
const majors = new WeakMap<Client, number>();

/** The major of a session's server. */
export async function majorOf(client: Client): Promise<number> {
  const before = majors.get(client);
  if (before !== undefined) return before;
  const { major } = await one<{ major: number }>(
    client,
    "SELECT current_setting('server_version_num')::int / 10000 AS major",
  );
  majors.set(client, major);
  return major;
}
