import type { Colour } from '../model/colours.ts';
import { VerdigrisError } from '../model/errors.ts';
import { ensureControlSchema, hasControlSchema } from '../postgres/control.ts';
import { markToken, noteEnvironment } from '../postgres/token.ts';
import type { Context } from './engine/context.ts';

/**
 * To be called where no operation is open. Without its own schema a colour cannot be closed, nor is it known who was.
 * The live one is open to everybody then, so that `recover` (`repairs`) may make the schema again; what it had noted stays
 * lost. The other one gets it by the verbs that remove it (`leaving`). Throws `own-schema-gone` for all others.
 */
export async function requireOwnSchema(
  c: Context,
  { repairs, leaving }: { repairs: boolean; leaving: boolean },
): Promise<void> {
  const { live, idle, environment, journal } = c;
  if (environment.part) return;
  const way = journal.state === 'switched' ? 'retire' : 'abandon';
  if (await isWithout(c, live)) {
    if (!repairs) throw ownSchemaGone(live, 'run `verdigris recover`: it makes the schema again.');
    await makeAgain(c, live);
    c.emit({
      type: 'note',
      text:
        `the schema verdigris of ${live} was gone and was made again: which migrations and backfills were done there, ` +
        'and what was expanded and not yet contracted, is not known any more' +
        (journal.release === null ? '' : `. Replication lost its barrier: \`verdigris ${way}\` is the way on`),
    });
  }
  if (repairs || journal.release === null || !(await isWithout(c, idle))) return;
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

function ownSchemaGone(colour: string, next: string): VerdigrisError {
  return new VerdigrisError('own-schema-gone', {
    seen: `The schema verdigris of ${colour} is gone, or a table of it.`,
    required: 'that schema: there it is noted who is kept out, and which operator is the newest.',
    next: `${next} Nothing was changed.`,
    facts: { colour },
  });
}
