import type { Ran } from '../../../migrations/data/statement.ts';
import type { DataReport } from '../../../migrations/data/policy.ts';
import { sourceLine } from '../../../migrations/data/refusals.ts';
import type { Release } from '../../../model/journal.ts';
import type { RowWrites } from '../../../postgres/row-writes.ts';
import type { Context } from '../../engine/context.ts';
import { note, release } from '../../engine/release-record.ts';

type Entry = NonNullable<Release['data']>[number];

/** Writes to the journal what ran, in place of what it has of the same statements. */
export async function noteData(c: Context, entries: readonly Entry[]): Promise<void> {
  await note(c, { data: merged(release(c).data, entries) });
}

/** Entries that are known, with new ones in place of those of the same statements. */
export function merged(known: Release['data'], entries: readonly Entry[]): Entry[] {
  return [
    ...(known ?? []).filter(
      (each) => !entries.some(({ source, place }) => source === each.source && place === each.place),
    ),
    ...entries,
  ];
}

export function entryOf({ writes, place, ...statement }: DataReport): Entry {
  return { at: new Date().toISOString(), place, source: sourceLine(statement), writes: [...writes] };
}

/** Of what ran at the switchover, or was tried for it. */
export function entriesOf(ran: readonly Ran[]): Entry[] {
  return ran.map(({ held, writes, ms }) => ({ ...entryOf({ ...held, place: 'switch', writes }), ms: Math.ceil(ms) }));
}

/** `3 updated in public.limits`. */
export function writesText(writes: readonly RowWrites[]): string {
  const parts = writes.flatMap(({ table, ...counts }) =>
    Object.entries(counts).flatMap(([what, count]) => (count > 0 ? [`${count} ${what} in ${table}`] : [])),
  );
  return parts.length > 0 ? parts.join(', ') : 'no row';
}
