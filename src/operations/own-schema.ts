import type { Colour } from '../model/colours.ts';
import { VerdigrisError } from '../model/errors.ts';
import { withTransaction, type Client } from '../postgres/client.ts';
import { takeMarkers } from '../postgres/barrier.ts';
import { ensureControlSchema, hasControlSchema } from '../postgres/control.ts';
import { startPublishing } from '../postgres/stream/publication.ts';
import { markToken, noteEnvironment } from '../postgres/token.ts';
import type { Context } from './engine/context.ts';

/**
 * Without its own schema a colour cannot be closed, nor is it known who was. `recover` (`repairs`) makes the live one's
 * again, also where an operation is open: its undoing and its completion write there; what it had noted stays lost. The
 * other one, which an open operation may not have made yet, gets it by the verbs that remove it (`leaving`). Throws
 * `own-schema-gone` for all others. In each database that the release carries.
 */
export async function requireOwnSchema(
  c: Context,
  { repairs, leaving }: { repairs: boolean; leaving: boolean },
): Promise<void> {
  const { live, idle, journal } = c;
  const way = journal.state === 'switched' ? 'retire' : 'abandon';
  // A seed makes those of further databases; one that is open may not have come to it.
  const each = journal.release === null || journal.operation?.verb === 'seed' ? [c] : c.each;
  for (const inside of each) {
    if (!(await isWithout(inside, live))) continue;
    if (!repairs) throw ownSchemaGone(inside, live, 'run `verdigris recover`: it makes the schema again.');
    const marks = await makeAgain(inside, live);
    c.emit({
      type: 'note',
      text:
        `the schema verdigris of ${placeOf(inside, live)} was gone and was made again: which migrations and backfills ` +
        'were done there, and what was expanded and not yet contracted, is not known any more' +
        (marks ? '' : `. Replication lost its barrier: \`verdigris ${way}\` is the way on`),
    });
  }
  if (repairs || journal.operation !== null || journal.release === null) return;
  for (const inside of each) {
    if (!(await isWithout(inside, idle))) continue;
    if (!leaving)
      throw ownSchemaGone(
        inside,
        idle,
        way === 'retire'
          ? 'there is no way back over it: `verdigris retire`.'
          : 'run `verdigris abandon`, then seed again.',
      );
    await makeAgain(inside, idle);
  }
}

async function isWithout(c: Context, colour: Colour): Promise<boolean> {
  let without = false;
  await c.ifRunning(colour, async (client) => {
    without = !(await hasControlSchema(client));
  });
  return without;
}

/**
 * With its markers in one transaction: whoever is killed before its end leaves a colour that still lacks its schema.
 * False where replication goes without them. The newest token and the uid are noted once more by each command.
 */
async function makeAgain(c: Context, colour: Colour): Promise<boolean> {
  const { uid } = c.journal;
  return c.on(colour, async (client) => {
    const marks = await withTransaction(client, async () => {
      await ensureControlSchema(client);
      return markAgain(c, colour, client);
    });
    if (uid !== undefined) await noteEnvironment(client, uid);
    await markToken(client, c.ledger.token);
    return marks;
  });
}

/**
 * The stream sends markers again, beginning where the other colour has heard of them. False where that cannot be seen:
 * a first marker that is there already would stop apply.
 */
async function markAgain(c: Context, colour: Colour, publisher: Client): Promise<boolean> {
  const { live, idle, journal } = c;
  const { stream } = journal;
  if (colour !== live || !stream || stream.from !== live) return journal.release === null;
  let again = false;
  await c.ifRunning(idle, async (subscriber) => {
    if (!(await hasControlSchema(subscriber))) return;
    await takeMarkers(subscriber, publisher, stream.name);
    await startPublishing(publisher, stream.name);
    again = true;
  });
  return again;
}

function placeOf({ isInside, environment: { database } }: Context, colour: Colour): string {
  return isInside ? `${colour}, database ${database},` : colour;
}

function ownSchemaGone(c: Context, colour: Colour, next: string): VerdigrisError {
  return new VerdigrisError('own-schema-gone', {
    seen: `The schema verdigris of ${placeOf(c, colour)} is gone, or a table of it.`,
    required: 'that schema: there it is noted who is kept out, and which operator is the newest.',
    next: `${next} Nothing was changed.`,
    facts: { colour },
  });
}
