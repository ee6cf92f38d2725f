import type { Journal } from '../../model/journal.ts';
import type { HookEvent } from './event.ts';

export type Thread = NonNullable<Journal['threads']>[string];

/**
 * The thread that an event belongs to: one for a release. A seed begins a release before there is a record of it; what
 * comes once the record is gone is still of the last one.
 */
export function threadFor(known: Thread | undefined, { data }: HookEvent): string | undefined {
  const to = data.release?.to;
  if (!known) return undefined;
  if (to === undefined) return data.verb === 'seed' && known.release !== undefined ? undefined : known.id;
  return known.release === undefined || known.release === to ? known.id : undefined;
}

/** What is known of threads once this event was delivered. */
export function threadAfter(
  known: Thread | undefined,
  event: HookEvent,
  begun: string | undefined,
): Thread | undefined {
  const own = threadFor(known, event);
  const id = own ?? begun;
  const release = event.data.release?.to ?? (own === undefined ? undefined : known?.release);
  return id === undefined ? known : { id, ...(release === undefined ? {} : { release }) };
}
