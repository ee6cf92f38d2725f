import { markOnLive, ranOnLive } from '../../../migrations/data/held.ts';
import type { FromFile } from '../../../migrations/data/statement.ts';
import { silentTriggers } from '../../../migrations/data/silenced.ts';
import type { DataPolicy } from '../../../migrations/data/policy.ts';
import { heldFailed, liveUndeclared, sourceLine } from '../../../migrations/data/refusals.ts';
import { crossBarrier } from '../../../postgres/barrier.ts';
import { readTables } from '../../../postgres/catalogue.ts';
import { withTransaction } from '../../../postgres/client.ts';
import { ensureControlSchema } from '../../../postgres/control.ts';
import { literal } from '../../../postgres/quote.ts';
import { countWrites, type RowWrites } from '../../../postgres/row-writes.ts';
import { carrySequences } from '../../../postgres/sequences.ts';
import type { Context } from '../../engine/context.ts';
import { withOwner } from '../../engine/owner-session.ts';
import { release, stream } from '../../engine/release-record.ts';
import { entryOf, noteData, writesText } from './record.ts';

/**
 * Milliseconds that statements run at the switchover may take: a tenth of what clients may be held for, all of it where
 * a note asks.
 */
export function dataLimits(c: Context): DataPolicy['limits'] {
  return { held: c.environment.limits.pause / 10, asked: c.environment.limits.pause };
}

/** What `migrate` tells an engine about statements that write rows. */
export async function dataPolicy(c: Context): Promise<DataPolicy> {
  // What a statement draws from a sequence when it is tried must not be what the live colour has given out.
  await c.on(c.live, (from) => c.on(c.idle, (to) => carrySequences(from, to)));
  return {
    live: await c.on(c.live, readTables),
    silent: await c.on(c.live, silentTriggers),
    limits: dataLimits(c),
    onLive: (statement, owner) => onLive(c, statement, owner),
    onCandidate: (report) => noteData(c, [entryOf(report)]),
  };
}

async function onLive(c: Context, statement: FromFile, owner: string | undefined): Promise<void> {
  if (c.environment.colours[c.idle]?.writesLive !== true) throw liveUndeclared(statement, c);
  const { migrationLock, migrationStatement, catchUp } = c.environment.limits;
  await c.on(c.live, ensureControlSchema);
  const writes = await withOwner(c, c.live, owner, (client) =>
    withTransaction(client, async (): Promise<readonly RowWrites[]> => {
      await client.query(
        `SET LOCAL lock_timeout = ${migrationLock}; SET LOCAL statement_timeout = ${migrationStatement}`,
      );
      const before = await ranOnLive(client, statement);
      if (before) return before;
      await client.query(`SET LOCAL role = ${literal(owner ?? 'none')}`);
      const counted = await countWrites(client, async () => {
        for (const { text } of statement.sets ?? []) await client.query(text);
        await client.query(statement.text);
        await client.query('SET CONSTRAINTS ALL IMMEDIATE');
      }).catch((cause: unknown) => {
        throw heldFailed(
          statement,
          'nothing of it was written. It has to be valid on the schema of the release that is live; fix it or take its note out, and migrate again.',
          cause,
        );
      });
      await markOnLive(client, release(c).to, statement, counted.writes);
      return counted.writes;
    }),
  );
  await noteData(c, [entryOf({ ...statement, place: 'live', writes })]);
  c.emit({ type: 'note', text: `ran on ${c.live}: ${sourceLine(statement)}: ${writesText(writes)}` });
  await c.on(c.live, (from) => c.on(c.idle, (to) => crossBarrier(from, to, stream(c).name, catchUp, c.signal)));
}
