import type { Context } from '../engine/context.ts';
import { deliver } from './deliver.ts';
import type { HookEvent } from './event.ts';

/** What is kept of what could not be delivered; the oldest go first. */
const most = 100;

export async function keepForLater(c: Context, hook: string, event: HookEvent): Promise<void> {
  await c.ledger.write((journal) => ({
    ...journal,
    outbox: [
      ...(journal.outbox ?? []).filter(({ event: { id } }) => id !== event.id),
      { hook, event: { ...event } },
    ].slice(-most),
  }));
}

/**
 * Tries once more what could not be delivered, each one time, with the id that it had. Called when a command's own work
 * is done, so that nobody waits for it. What its receiver refuses, or whose hook is no longer declared, is dropped and
 * named.
 */
export async function deliverOutbox(c: Context): Promise<void> {
  const { hooks } = c.environment;
  // Of an environment without hooks, which a drill's is, nothing is told and nothing is dropped.
  if (hooks === undefined) return;
  for (const { hook: name, event } of c.journal.outbox ?? []) {
    const hook = hooks[name];
    const outcome = hook
      ? await deliver(c, hook, event as unknown as HookEvent, false)
      : ({ kind: 'refused', why: 'it is no longer declared' } as const);
    if (outcome.kind === 'unanswered') continue;
    if (outcome.kind === 'refused')
      c.emit({ type: 'note', text: `hook ${name}: ${event.id} is dropped: ${outcome.why}` });
    await c.ledger.write((journal) => ({
      ...journal,
      outbox: journal.outbox?.filter((each) => each.event.id !== event.id),
    }));
  }
}
