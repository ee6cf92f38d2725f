import { requireAdmission } from '../../postgres/logical-seed/admission.ts';
import { requireSteadyPublisher } from '../../postgres/logical-seed/steady-publisher.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { isSameServer } from '../../postgres/same-server.ts';
import type { Context } from '../engine/context.ts';
import { findingsInEach, inEach } from '../engine/each.ts';
import type { Operation } from '../engine/operation.ts';
import { requireDatabases } from '../gates/databases.ts';
import { requirePart } from '../gates/part.ts';
import { preflightFindings } from '../gates/preflight.ts';
import { declaredCandidate } from './seed.ts';
import { copy, empty, requirePgDump, roles } from './seed/logical.ts';
import { open, publication } from './seed/origin.ts';
import { catchUp, enable, subscription } from './seed/replication.ts';
import { maintenance } from '../../postgres/maintenance.ts';
import { connectionIn } from '../../platform/connection-in.ts';

/**
 * Where no copy of the live server's storage can be had: row by row, to a server that may be of another major and
 * anybody's.
 */
export const seedLogically: Operation = {
  verb: 'seed',
  way: 'logical',
  clientsWait: () => 0,
  async validate(c) {
    await requireTwoServers(c);
    await requirePgDump(c);
    if (c.environment.seed.method === 'tables') await requireTables(c);
    await requireDatabases(c);
    await requirePart(c);
    return [...declaredCandidate(c), ...(await findingsInEach(c, (inside) => preflightFindings(inside, 'seed')))];
  },
  start: [open, inEach(publication), empty, roles, inEach(copy), inEach(subscription), inEach(enable), inEach(catchUp)],
  complete: [],
};

/** What a seed by tables needs besides, said before anything is made. */
function requireTables(c: Context): Promise<void> {
  return c.on(c.live, async (live) => {
    await requireSteadyPublisher(live);
    await requireAdmission(live);
  });
}

/** Under two names one server would be fenced against its own clients. */
export async function requireTwoServers(c: Context): Promise<void> {
  if (c.environment.colours[c.idle]?.server?.kind !== 'external') return;
  const candidate = await connectionIn(c.platform.servers, c.idle, maintenance);
  if (!(await c.on(c.live, (live) => isSameServer(live, candidate)))) return;
  throw new VerdigrisError('same-server', {
    seen: `${c.live} and ${c.idle} are the same server: a session opened at one address is seen at the other.`,
    required: 'two servers: the candidate is closed to everybody while the live one serves.',
    next: `declare another address for ${c.idle}; nothing was changed.`,
  });
}
