import type { Finding } from '../../model/finding.ts';
import { tryStream } from '../../postgres/stream/source.ts';
import { tryAll } from '../../platform/trial.ts';
import type { Context } from '../engine/context.ts';

interface Wanted {
  /** Right before the hold: what replication does not carry was carried. */
  readonly carried: boolean;
  /** Replication the other way will be needed. */
  readonly wayBack: boolean;
}

/**
 * What comes behind the commit point and cannot be used now: clients would wait for it there, and nothing goes back.
 */
export async function usableFindings(c: Context, { carried, wayBack }: Wanted): Promise<Finding[]> {
  // Trials log in and ask guards: more than who only looks may do.
  if (c.looking) return [];
  const { platform, live, idle } = c;
  const there = (await platform.servers.observe(idle))?.running === true;
  const [own, back] = await Promise.all([
    (c.isInside ? [] : platform.unusable?.({ live, idle: there ? idle : undefined, carried })) ?? [],
    there && wayBack ? tryWayBack(c) : [],
  ]);
  return [...own, ...back];
}

/**
 * The other way of replication, from the server that will use it: without it a switchover would be one of no return.
 */
async function tryWayBack(c: Context): Promise<Finding[]> {
  const { platform, live, idle, environment } = c;
  return tryAll([
    {
      thing: `replication from ${idle} to ${live}`,
      fix: `See the log of ${live}: it must reach ${idle} as the replication role, with its password, and have a worker and a sender free.`,
      use: async () => {
        const conninfo = await platform.servers.conninfo(idle);
        await c.on(live, (client) => tryStream(client, conninfo, environment.database));
      },
    },
  ]);
}
