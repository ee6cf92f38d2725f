import { VerdigrisError } from '../model/errors.ts';
import { ensureControlSchema, hasControlSchema } from '../postgres/control.ts';
import { markToken, noteEnvironment } from '../postgres/token.ts';
import type { Context } from './engine/context.ts';

/**
 * To be called where no operation is open. Without its own schema a colour cannot be closed, nor is it known who was.
 * The live one is open to everybody then, so that `recover` (`mend`) may make the schema again; what it had noted stays
 * lost. Throws `own-schema-gone`, but for verbs that do without the other colour (`leaving`).
 */
export async function requireOwnSchema(
  c: Context,
  { mend, leaving }: { mend: boolean; leaving: boolean },
): Promise<void> {
  const { live, idle, environment, journal } = c;
  if (environment.part) return;
  await c.ifRunning(live, async (client) => {
    if (await hasControlSchema(client)) return;
    if (!mend) throw ownSchemaGone(live, 'run `verdigris recover`: it makes the schema again.');
    const way = journal.state === 'switched' ? 'retire' : 'abandon';
    await ensureControlSchema(client);
    if (journal.uid !== undefined) await noteEnvironment(client, journal.uid);
    await markToken(client, c.ledger.token);
    c.emit({
      type: 'note',
      text:
        `the schema verdigris of ${live} was gone and was made again: which migrations and backfills were done there, ` +
        'and what was expanded and not yet contracted, is not known any more' +
        (journal.release === null ? '' : `. Replication lost its barrier: \`verdigris ${way}\` is the way on`),
    });
  });
  if (mend || leaving || journal.release === null) return;
  await c.ifRunning(idle, async (client) => {
    if (await hasControlSchema(client)) return;
    throw ownSchemaGone(
      idle,
      journal.state === 'switched'
        ? 'there is no way back over it: `verdigris retire`.'
        : 'run `verdigris abandon`, then seed again.',
    );
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
