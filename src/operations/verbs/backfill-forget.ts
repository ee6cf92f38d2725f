import { VerdigrisError } from '../../model/errors.ts';
import { removeKeepers } from '../../migrations/backfill/keeper.ts';
import { ensureControlSchema } from '../../postgres/control.ts';
import { hasCandidate, readBackfillStates } from '../gates/backfill-state.ts';
import type { Context } from '../engine/context.ts';
import { unknownBackfill } from './backfill-errors.ts';

/** Gives up a backfill whose file is gone: what is filled stays, its trigger and its record go. */
export async function forgetBackfill(c: Context, name: string): Promise<void> {
  const { backfills, orphans } = await readBackfillStates(c);
  if (backfills.some((state) => state.backfill.name === name))
    throw new VerdigrisError('backfill-declared', {
      seen: `${name} has a file.`,
      required: 'a backfill whose file is gone.',
      next: 'remove the file first, if the backfill is no longer wanted.',
    });
  if (!orphans.some((orphan) => orphan.name === name))
    throw unknownBackfill(
      `There is no unfinished backfill ${name}.`,
      orphans.map((orphan) => orphan.name).join(', ') || 'none is orphaned',
      'see `verdigris backfill --dry-run`',
    );
  for (const colour of hasCandidate(c) ? [c.idle, c.live] : [c.live]) {
    await c.on(colour, async (client) => {
      await ensureControlSchema(client);
      await removeKeepers(client, [name]);
      await client.query('DELETE FROM verdigris.backfill WHERE name = $1', [name]);
    });
  }
}
