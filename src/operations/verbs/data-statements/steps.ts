import { readHeld, runHeld } from '../../../migrations/data/held.ts';
import { heldFailed, sourceLine } from '../../../migrations/data/refusals.ts';
import { dropLogin } from '../../../postgres/owner-login.ts';
import type { Release } from '../../../model/journal.ts';
import { withTransaction } from '../../../postgres/client.ts';
import type { Context } from '../../engine/context.ts';
import type { Step } from '../../engine/operation.ts';
import { withOwner } from '../../engine/owner-session.ts';
import { release } from '../../engine/release-record.ts';
import { heldOwner } from './owner.ts';
import { entriesOf, merged, writesText } from './record.ts';
import { closeSession, dataSessions, undoSession } from './session.ts';

/**
 * Behind the barrier, so that nothing that the live colour wrote is missing, and behind the position at which the way
 * back begins, so that the retained colour gets it. The transaction stays open until the commit point: before it,
 * whatever ends this process takes it back.
 */
export const runData: Step = {
  id: 'run-data',
  title: 'run what was held back',
  why: 'all rows of the live colour are here, and nobody can write: it changes each, exactly once',
  risk: 'clients wait for it, as long as it took when it was tried',
  async run(c) {
    const session = dataSessions.get(c);
    if (session === 'nothing') return undefined;
    if (!session) throw new Error('what is held back was not looked at before the hold');
    const { client } = session;
    await client.query('BEGIN');
    const ran = await runHeld(client, await readHeld(client), (held, cause) =>
      heldFailed(
        held,
        'nothing was changed, and clients go on. Change the rows that it meets and switch again; or abandon the candidate, change the file, and seed again.',
        cause,
      ),
    );
    session.ran = ran;
    return ran.map(({ held, writes }) => `${sourceLine(held)}: ${writesText(writes)}`).join('; ');
  },
  undo: undoSession,
};

/** What the commit point writes to the journal of what ran. */
export function dataRan(c: Context): Partial<Release> {
  const session = dataSessions.get(c);
  if (session === undefined || session === 'nothing' || !session.ran) return {};
  return { data: merged(release(c).data, entriesOf(session.ran)) };
}

/**
 * Behind the commit point. Where this process is not the one that ran it, the transaction is gone, or committed with
 * its marks.
 */
export const commitData: Step = {
  id: 'commit-data',
  title: 'commit what was held back',
  why: 'from the commit point on it is part of the live colour, and has to be there before its first client',
  risk: 'none: it has run',
  async run(c) {
    const session = dataSessions.get(c);
    if (session === 'nothing') return;
    const committed =
      session?.ran !== undefined &&
      (await session.client.query('COMMIT').then(
        () => true,
        () => false,
      ));
    if (committed) return;
    await closeSession(c);
    await withOwner(c, c.live, await heldOwner(c, c.live), (client) =>
      withTransaction(client, async () => {
        await runHeld(client, await readHeld(client), (held, cause) =>
          heldFailed(
            held,
            'fix what it meets on the live colour; the same command continues from here, clients are held meanwhile.',
            cause,
          ),
        );
      }),
    );
  },
};

/** Once nobody waits: the login of the session that ran it, or of a process that was killed. */
export const endData: Step = {
  id: 'end-data',
  title: 'take back the login of what was held back',
  why: 'it was made for these statements alone',
  risk: 'none',
  async run(c) {
    await closeSession(c);
    await c.on(c.live, (client) => dropLogin(client));
  },
};
