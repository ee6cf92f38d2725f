import type { Hook } from '../../model/hooks.ts';
import type { Context } from '../engine/context.ts';
import type { Ledger } from '../engine/ledger.ts';
import { deliverOnce } from './deliver.ts';
import type { HookEvent } from './event.ts';

/** What is kept of what could not be delivered; the oldest go first. */
const most = 100;
/**
 * Milliseconds in all for what earlier commands left, however many receivers are away; a controller looks again soon.
 */
const patience = { person: 10_000, controller: 2_000 } as const;

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
 * Tries once more what could not be delivered, with the ids that it had, when a command's own work is done. All that
 * are of one `kind` have one limit, end when the command is stopped, and a hook that does not answer is not asked again
 * this time. What its receiver refuses, or whose hook is no longer declared, is dropped and named. Returns the ids that
 * need not be delivered again.
 *
 * `statements` write where the journal says that writes go, so that they need the lease; the `messages` do not, and
 * nobody else's command has to wait until a receiver has answered.
 */
export async function deliverOutbox(
  c: Context,
  kind: 'statements' | 'messages',
  stopped: AbortSignal,
): Promise<ReadonlySet<string>> {
  const { hooks } = c.environment;
  const settled = new Set<string>();
  // Of an environment without hooks, which a drill's is, nothing is told and nothing is dropped.
  if (hooks === undefined) return settled;
  const limit = AbortSignal.timeout(c.walks ? patience.controller : patience.person);
  const signal = AbortSignal.any([limit, stopped]);
  const mine = (c.journal.outbox ?? []).filter(
    ({ hook }) => (hooks[hook]?.sql !== undefined) === (kind === 'statements'),
  );
  await Promise.all(
    Object.entries(Object.groupBy(mine, ({ hook }) => hook)).map(async ([name, left = []]) => {
      for (const { event } of left) {
        const outcome = await once(c, hooks[name], event as unknown as HookEvent, signal);
        // Those of one hook keep their order.
        if (outcome === 'unanswered') return;
        settled.add(event.id);
        if (outcome !== 'done') c.emit({ type: 'note', text: `hook ${name}: ${event.id} is dropped: ${outcome.why}` });
      }
    }),
  );
  return settled;
}

/** The journal without what was delivered. */
export async function forget(ledger: Ledger, settled: ReadonlySet<string>): Promise<void> {
  if (settled.size === 0) return;
  await ledger.write((journal) => ({
    ...journal,
    outbox: journal.outbox?.filter(({ event: { id } }) => !settled.has(id)),
  }));
}

async function once(
  c: Context,
  hook: Hook | undefined,
  event: HookEvent,
  signal: AbortSignal,
): Promise<'done' | 'unanswered' | { readonly why: string }> {
  if (signal.aborted) return 'unanswered';
  if (!hook) return { why: 'it is no longer declared' };
  const outcome = await deliverOnce(c, hook, event, signal);
  return outcome.kind === 'refused' ? outcome : outcome.kind;
}
