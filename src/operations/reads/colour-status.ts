import type { Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { describe } from '../../model/errors.ts';
import { carriedDatabases } from '../../model/journal-inside.ts';
import type { Journal } from '../../model/journal.ts';
import type { Platform } from '../../platform/port/platform.ts';
import { one } from '../../postgres/client.ts';
import { hasControlSchema } from '../../postgres/control.ts';
import { withOwnSession } from '../../postgres/session.ts';
import { fencedRoles } from '../../postgres/fence.ts';
import { closedTables } from '../../postgres/part/fence-state.ts';
import { rejectedByRule, shutOut, type ShutOut } from '../../postgres/shut-out.ts';
import { withLooker } from '../../postgres/readers.ts';
import { tablesAt } from '../engine/part.ts';
import type { ColourStatus } from './status-types.ts';
import { connectionIn } from '../../platform/connection-in.ts';

/** A server as it is now; one that cannot be asked says why. */
export async function colourStatus(
  environment: Environment,
  platform: Platform,
  journal: Journal,
  colour: Colour,
): Promise<ColourStatus> {
  const seen = await platform.servers.observe(colour);
  if (!seen)
    return {
      colour,
      role: 'absent',
      running: false,
      ...(platform.servers.ownsStorage(colour) ? {} : { elsewhere: true }),
    };
  const role = colour === journal.live ? 'live' : journal.state === 'switched' ? 'retained' : 'candidate';
  const release =
    role === 'live' ? journal.liveRelease : role === 'retained' ? journal.release?.from : journal.release?.to;
  const base = { colour, role, running: seen.running, version: seen.version, release } as const;
  if (!seen.running) return base;
  try {
    const settings = await connectionIn(platform.servers, colour, environment.database);
    const tables = tablesAt({ environment, journal }, colour);
    const clients = [...environment.roles.application, ...environment.roles.readers];
    // Clients of a router come from where this is; where others' come from is not known.
    const ruledOut = async (): Promise<ShutOut[]> =>
      environment.platform === 'local' && (environment.traffic?.kind ?? 'router') === 'router'
        ? withOwnSession(settings, 'status', (client) => rejectedByRule(client, clients)).catch(() => [])
        : [];
    return await withLooker(settings, 'status', async (client) => ({
      ...base,
      ...(await one<{ bytes: number; connections: number }>(
        client,
        `SELECT pg_database_size(current_database())::float8 AS bytes,
        (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename NOT LIKE 'verdigris%') AS connections`,
      )),
      ownSchema: (await hasControlSchema(client)) && (await othersHaveIt(platform, journal, colour)),
      ...(role === 'live' ? { shutOut: [...(await shutOut(client, clients)), ...(await ruledOut())] } : {}),
      fenced: await (tables ? closedTables(client, tables) : fencedRoles(client)).then(
        (names) => names.length,
        () => undefined,
      ),
    }));
  } catch (error) {
    return { ...base, error: describe(error) };
  }
}

/** Each further database that the release carries has Verdigris's own schema; a seed under way is still making them. */
async function othersHaveIt(platform: Platform, journal: Journal, colour: Colour): Promise<boolean> {
  for (const database of journal.operation?.verb === 'seed' ? [] : carriedDatabases(journal))
    if (!(await withLooker(await connectionIn(platform.servers, colour, database), 'status', hasControlSchema)))
      return false;
  return true;
}
