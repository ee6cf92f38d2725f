import type { VerdigrisError } from '../../../model/errors.ts';
import { readHeld, tryHeld } from '../../../migrations/data/held.ts';
import type { DataPolicy } from '../../../migrations/data/policy.ts';
import { sourceLine } from '../../../migrations/data/refusals.ts';
import { withTransaction, type Client } from '../../../postgres/client.ts';
import type { Context } from '../../engine/context.ts';
import { databasesUnfit } from '../../engine/databases-unfit.ts';
import type { Step } from '../../engine/operation.ts';
import { withOwner } from '../../engine/owner-session.ts';
import { heldOwner } from './owner.ts';
import { dataLimits } from './policy.ts';
import { entriesOf, noteData, writesText } from './record.ts';
import { openSession, dataSessions, undoSession } from './session.ts';

/**
 * Milliseconds for a lock when something is tried: less than PostgreSQL waits before it looks for a deadlock, so that
 * apply never loses one.
 */
const tryLock = 500;

async function attempt(c: Context, client: Client, limits: DataPolicy['limits'], next: string): Promise<string> {
  const ran = await withTransaction(client, async () => {
    await client.query(`SET LOCAL lock_timeout = ${tryLock}`);
    return tryHeld(client, limits, next);
  });
  if (ran.length > 0) await noteData(c, entriesOf(ran));
  const ms = ran.reduce((sum, each) => sum + each.ms, 0);
  return ran.length === 0
    ? 'nothing is held back'
    : `at the switchover, in ${Math.ceil(ms)} ms: ${ran.map(({ held, writes }) => `${sourceLine(held)}: ${writesText(writes)}`).join('; ')}`;
}

/** Of `migrate`, once all its files ran. */
export const tryData: Step = {
  id: 'try-data',
  title: 'try what is held back until the switchover',
  why:
    'a statement that changes rows both colours have would be overwritten by replication before; whether it ' +
    'succeeds, and how long clients will wait for it, is known now',
  risk: 'replication waits for the rows that it writes, until it is rolled back',
  async run(c) {
    if (c.isInside && (await c.on(c.idle, readHeld)).length > 0) throw heldInside(c);
    return withOwner(c, c.idle, await heldOwner(c, c.idle), (client) =>
      attempt(
        c,
        client,
        dataLimits(c),
        'Abandon the candidate, change the file, and seed again; the live colour is untouched.',
      ),
    );
  },
};

/** The session that runs them spans the commit point, and its login is one of the server. */
function heldInside(c: Context): VerdigrisError {
  return databasesUnfit(
    `Migrations of ${c.environment.database} change rows that both colours have, at the switchover.`,
    'such statements in the first database alone: one transaction spans the commit point, not several.',
    'abandon the candidate, run them on the live colour in a release of their own (`writesLive`), and seed again; the live colour is untouched.',
  );
}

/** Of the switchover: once more with what is there now, in the session that will run it. */
export const tryDataAgain: Step = {
  ...tryData,
  async run(c) {
    if ((await c.on(c.idle, readHeld)).length === 0) {
      dataSessions.set(c, 'nothing');
      return 'nothing is held back';
    }
    const session = await openSession(c);
    dataSessions.set(c, session);
    return attempt(
      c,
      session.client,
      // How long it may take was decided when it was migrated.
      { ...dataLimits(c), held: dataLimits(c).asked },
      'Nothing was changed, and clients go on. Change the rows that it meets and switch again; or abandon the candidate, change the file, and seed again.',
    );
  },
  undo: undoSession,
};
