import { one, type Client } from './client.ts';

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

/** Asked once a session: clients wait. */
const majors = new WeakMap<Client, number>();
