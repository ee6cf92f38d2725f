import type { Colour } from '../model/colours.ts';
import { VerdigrisError } from '../model/errors.ts';
import { takeMarkers } from '../postgres/barrier.ts';
import { ensureControlSchema, hasControlSchema } from '../postgres/control.ts';
import { startPublishing } from '../postgres/stream/publication.ts';
import { markToken, noteEnvironment } from '../postgres/token.ts';
import type { Context } from './engine/context.ts';

/**
 * Without its own schema a colour cannot be closed, nor is it known who was. `recover` (`repairs`) makes the live one's
 * again, also where an operation is open: its undoing and its completion write there; what it had noted stays lost. The
 * other one, which an open operation may not have made yet, gets it by the verbs that remove it (`leaving`). Throws
 * `own-schema-gone` for all others.
 */
export async function requireOwnSchema(
  c: Context,
  { repairs, leaving }: { repairs: boolean; leaving: boolean },
): Promise<void> {
  const { live, idle, journal } = c;
  const way = journal.state === 'switched' ? 'retire' : 'abandon';
  if (await isWithout(c, live)) {
    if (!repairs) throw ownSchemaGone(live, 'run `verdigris recover`: it makes the schema again.');
    await makeAgain(c, live);
    const marks = await markAgain(c);
    c.emit({
      type: 'note',
      text:
        `the schema verdigris of ${live} was gone and was made again: which migrations and backfills were done there, ` +
        'and what was expanded and not yet contracted, is not known any more' +
        (marks ? '' : `. Replication lost its barrier: \`verdigris ${way}\` is the way on`),
    });
  }
  if (repairs || journal.operation !== null || journal.release === null || !(await isWithout(c, idle))) return;
  if (!leaving)
    throw ownSchemaGone(
      idle,
      way === 'retire'
        ? 'there is no way back over it: `verdigris retire`.'
        : 'run `verdigris abandon`, then seed again.',
    );
  await makeAgain(c, idle);
}

async function isWithout(c: Context, colour: Colour): Promise<boolean> {
  let without = false;
  await c.ifRunning(colour, async (client) => {
    without = !(await hasControlSchema(client));
  });
  return without;
}

async function makeAgain(c: Context, colour: Colour): Promise<void> {
  const { uid } = c.journal;
  await c.on(colour, async (client) => {
    await ensureControlSchema(client);
    if (uid !== undefined) await noteEnvironment(client, uid);
    await markToken(client, c.ledger.token);
  });
}

/**
 * The stream sends markers again, beginning where the other colour has heard of them. False where that cannot be seen:
 * a first marker that is there already would stop apply.
 */
async function markAgain(c: Context): Promise<boolean> {
  const { live, idle, journal } = c;
  const { stream } = journal;
  if (!stream || stream.from !== live) return journal.release === null;
  let again = false;
  await c.ifRunning(idle, (subscriber) =>
    c.on(live, async (publisher) => {
      if (!(await hasControlSchema(subscriber))) return;
      await takeMarkers(subscriber, publisher, stream.name);
      await startPublishing(publisher, stream.name);
      again = true;
    }),
  );
  return again;
}

function ownSchemaGone(colour: string, next: string): VerdigrisError {
  return new VerdigrisError('own-schema-gone', {
    seen: `The schema verdigris of ${colour} is gone, or a table of it.`,
    required: 'that schema: there it is noted who is kept out, and which operator is the newest.',
    next: `${next} Nothing was changed.`,
    facts: { colour },
  });
}
