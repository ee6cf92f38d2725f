import { finding, type Finding } from '../../model/finding.ts';
import { describePart, readPart } from '../../postgres/part/read.ts';
import { namedAsFence } from '../../postgres/part/fence-state.ts';
import { isSuperuser } from '../../postgres/superuser.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { Context } from '../engine/context.ts';
import { partOf } from '../engine/part.ts';

/** What moves, and what crosses the border, where only a part of a database does. */
export async function partFindings(c: Context): Promise<Finding[]> {
  const part = partOf(c);
  if (!part) return [];
  const { goes, torn, stays, texts, fed } = await c.look(part.origin, async (client) =>
    describePart(client, await readPart(client, part.tables)),
  );
  return [
    finding('part-torn', { objects: torn, reason: 'Nothing keeps two servers in step in one transaction.' }),
    finding('part-fed', {
      objects: fed,
      reason: 'No trigger hears rows that come by replication: no fence keeps them out.',
    }),
    finding('part-texts', { objects: texts, reason: 'A text is no dependency: PostgreSQL finds out when it is run.' }),
    finding('part-stays', { objects: stays, reason: 'It needs tables of the other side.' }),
    finding('part-goes', { objects: goes, reason: 'It hangs on the tables that are declared, or they need it.' }),
  ].filter(({ objects }) => objects.length > 0);
}

/** What a part of a database needs besides, before anything is made. */
export async function requirePart(c: Context): Promise<void> {
  const part = partOf(c);
  if (!part) return;
  const { server } = c.environment.colours[part.origin] ?? {};
  if (server?.kind !== 'external')
    throw unfit(
      `${part.origin} is live, and no server that others run.`,
      "a live server of others, whose other clients do not come by the environment's path",
      'take `part` out of the declaration where the part has moved already',
    );
  if (!(await c.on(c.live, isSuperuser)))
    throw unfit(
      `verdigris_operator is no superuser on ${part.origin}.`,
      'a superuser: event triggers keep the closed tables from being changed',
      'make it one',
    );
  const taken = await c.on(c.live, (client) => namedAsFence(client, part.tables));
  if (taken.length > 0)
    throw unfit(
      `A trigger that is not Verdigris's bears the name verdigris_fence, on ${taken.join(', ')}.`,
      'that name for the triggers that close the tables at the switchover',
      'give it another name (ALTER TRIGGER verdigris_fence ON … RENAME TO …)',
    );
}

/** Which tables move was decided when the release was seeded. */
export function requireSamePart({ environment, journal }: Context): void {
  if (journal.release === null) return;
  const [moved, declared] = [journal.release.part?.tables ?? [], environment.part?.tables ?? []];
  if ([...moved].toSorted().join('\0') === [...declared].toSorted().join('\0')) return;
  throw unfit(
    `The release under way moves ${moved.join(', ') || 'the whole database'}; declared is ${declared.join(', ') || 'the whole database'}.`,
    'what it was seeded with, until it has ended',
    'declare it as it was, or run `verdigris abandon` before the switchover',
  );
}

/** What has been tried with whole databases only. */
export function requireWhole(c: Pick<Context, 'environment' | 'journal'>, what: string): void {
  if (partOf(c)) throw partUnfit(what);
}

export function partUnfit(what: string): VerdigrisError {
  return unfit(
    `${what} was asked for, and only a part of the database moves.`,
    'a whole database',
    'see docs/part.md for what works',
  );
}

function unfit(seen: string, required: string, next: string): VerdigrisError {
  return new VerdigrisError('part-unfit', { seen, required: `${required}.`, next: `${next}; nothing was changed.` });
}
