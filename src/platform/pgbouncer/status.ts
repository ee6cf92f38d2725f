import { colours, type Colour } from '../../model/colours.ts';
import { describe } from '../../model/errors.ts';
import { nobodyListens } from '../../model/nobody-listens.ts';
import type { ServerAddress } from '../external/server.ts';
import type { HoldFile } from '../hold-watch/record.ts';
import type { TrafficStatus } from '../port/traffic.ts';
import type { PgBouncers } from './pgbouncers.ts';
import { leadsTo } from './trials.ts';

interface Asked {
  readonly poolers: PgBouncers;
  readonly record: HoldFile;
  /** Where clients connect, as it is declared. */
  readonly declared: string | undefined;
  readonly address: (colour: Colour) => ServerAddress | undefined;
}

/** Where the PgBouncers lead and how many clients they have; the first one's entry tells the colour. */
export async function pgbouncerStatus({ poolers, record, declared, address }: Asked): Promise<TrafficStatus> {
  const looks = await Promise.allSettled(
    poolers.all.map(async (pooler) => ({
      shown: await poolers.shown(pooler),
      paused: await poolers.paused(pooler),
      clients: await poolers.say<{ database: string }>(pooler, 'SHOW CLIENTS'),
    })),
  );
  const seen = looks.flatMap((look) => (look.status === 'fulfilled' ? [look.value] : []));
  const entry = seen[0]?.shown.find(({ name }) => name === poolers.databases[0]);
  const live = colours.find((colour) => {
    const to = address(colour);
    return entry && to && leadsTo(entry, to);
  });
  const clients = seen.flatMap((each) => each.clients).filter(({ database }) => poolers.databases.includes(database));
  const held = await record.held();
  return {
    address: declared ?? poolers.all[0]?.pod ?? '',
    ...silence(looks),
    ...(live ? { live, canary: 0, clients: { [live]: clients.length } } : {}),
    held: held ?? (seen.some(({ paused }) => paused.length > 0) ? { token: 0 } : undefined),
  };
}

/** Clients of one that answers are served, whatever the others do. */
function silence(looks: readonly PromiseSettledResult<unknown>[]): Pick<TrafficStatus, 'running' | 'trouble'> {
  const errors: unknown[] = looks.flatMap((look) => (look.status === 'rejected' ? [look.reason] : []));
  if (errors.length === 0) return { running: true };
  return {
    running: errors.length < looks.length || !errors.every(nobodyListens),
    trouble: {
      seen: errors.map((error) => describe(error)).join('; '),
      repair: 'start it where it is down; its log says what it refuses',
    },
  };
}
