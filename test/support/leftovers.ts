import { other, type Colour } from '../../src/model/colours.ts';
import type { Platform } from '../../src/platform/port/platform.ts';
import { rows, type Client } from '../../src/postgres/client.ts';

/** What an environment must not have left once it is single again, on either platform. */
export async function leftovers(
  platform: Platform,
  live: Colour,
  on: <T>(colour: Colour, use: (client: Client) => Promise<T>) => Promise<T>,
): Promise<Record<keyof typeof nothing, unknown>> {
  return {
    colour: await platform.servers.observe(other(live)),
    snapshots: await platform.servers.snapshots(),
    holder: await platform.leases.holder(),
    held: (await platform.traffic.status()).held,
    ...(await on(live, async (client) => ({
      slots: await rows(client, 'SELECT slot_name FROM pg_replication_slots'),
      publications: await rows(client, 'SELECT pubname FROM pg_publication'),
      subscriptions: await rows(client, 'SELECT subname FROM pg_subscription'),
      origins: await rows(client, 'SELECT roname FROM pg_replication_origin'),
      roles: await rows(client, "SELECT rolname FROM pg_roles WHERE rolname = 'verdigris_replication'"),
      fenced: await rows(client, 'SELECT name FROM verdigris.fenced_role'),
      barriers: await rows(client, 'SELECT stream FROM verdigris.barrier'),
      operators: await rows(
        client,
        "SELECT pid, application_name FROM pg_stat_activity WHERE application_name = 'verdigris/operator'",
      ),
    }))),
  };
}

export const nothing = {
  colour: undefined,
  snapshots: [],
  holder: undefined,
  held: undefined,
  slots: [],
  publications: [],
  subscriptions: [],
  origins: [],
  roles: [],
  fenced: [],
  barriers: [],
  operators: [],
};
