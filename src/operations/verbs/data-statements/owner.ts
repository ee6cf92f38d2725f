import { readHeld } from '../../../migrations/data/held.ts';
import { sourceLine } from '../../../migrations/data/refusals.ts';
import type { Colour } from '../../../model/colours.ts';
import { VerdigrisError } from '../../../model/errors.ts';
import { migrationOwner } from '../../../postgres/owners.ts';
import type { Context } from '../../engine/context.ts';

/**
 * Whom what is held back runs as: the owner of now, where it was kept as an owner's.
 * @throws VerdigrisError `data-statement-owner`.
 */
export async function heldOwner(c: Context, colour: Colour): Promise<string | undefined> {
  return c.on(colour, async (client) => {
    const held = await readHeld(client);
    const theirs = held.filter(({ role }) => role !== 'none');
    if (theirs.length === 0) return undefined;
    const owner = await migrationOwner(client, c.environment.roles.owner);
    const [first] = theirs;
    if (owner !== undefined && theirs.length === held.length) return owner;
    throw new VerdigrisError('data-statement-owner', {
      seen:
        owner === undefined
          ? `${first ? sourceLine(first) : ''} was tried as ${first?.role}, and no single role may change everything there now.`
          : `${held.length - theirs.length} of ${held.length} statements that are held back were tried without an owner, the others as one.`,
      required: 'one owner for everything that runs at the switchover.',
      next: 'declare it as roles.owner, or abandon the candidate and seed again; nothing was changed.',
      facts: { held: held.map((each) => ({ source: sourceLine(each), role: each.role })) },
    });
  });
}
