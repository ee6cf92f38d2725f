import type { Hook } from '../../model/hooks.ts';
import type { Journal } from '../../model/journal.ts';
import type { Context } from '../engine/context.ts';
import type { Ledger } from '../engine/ledger.ts';
import { deliverOnce } from './deliver.ts';
import { threadAfter, type Thread } from './thread.ts';
import type { HookEvent } from './event.ts';
import type { Outcome } from './outcome.ts';

/** What is kept of what could not be delivered; the oldest go first. */
const most = 100;
/**
 * Milliseconds in all for what earlier commands left, however many receivers are away; a controller looks again soon.
 */
const patience = { person: 10_000, controller: 2_000 } as const;

export async function keepForLater(c: Context, hook: string, event: HookEvent): Promise<void> {
  await c.ledger.write((journal) => withKept(journal, hook, event));
}

/** The journal with one more event to be delivered, once by its id; one that is there already keeps its place. */
export function withKept(journal: Journal, hook: string, event: HookEvent): Journal {
  const kept = journal.outbox ?? [];
  if (kept.some(({ event: { id } }) => id === event.id)) return journal;
  return { ...journal, outbox: [...kept, { hook, event: { ...event } }].slice(-most) };
}

/**
 * Delivers what still waits for this hook, for its limit at most, so that it hears of things in the order in which they
 * came. @returns whether this event may follow.
 */
export async function deliverEarlier(c: Context, name: string, hook: Hook, { id: own }: HookEvent): Promise<boolean> {
  const all = (c.journal.outbox ?? []).filter((each) => each.hook === name);
  const place = all.findIndex(({ event: { id } }) => id === own);
  const earlier = place < 0 ? all : all.slice(0, place);
  const settled = await deliverInOrder(c, name, earlier, AbortSignal.any([AbortSignal.timeout(hook.limit), c.lost]));
  await forget(c.ledger, settled);
  return settled.size === earlier.length;
}

/** Where a message began the thread of its release, or is the first in it that names the release, that is kept. */
export async function keepThread(
  ledger: Ledger,
  hook: string,
  event: HookEvent,
  begun: string | undefined,
): Promise<void> {
  const known = ledger.journal.threads?.[hook];
  if (begun === undefined && known === undefined) return;
  const thread = threadAfter(known, event, begun);
  if (!thread || (thread.id === known?.id && thread.release === known.release)) return;
  await ledger.write((journal) => ({ ...journal, threads: { ...journal.threads, [hook]: thread } }));
}

/**
 * Tries once more what could not be delivered, with the ids that it had, when a command's own work is done. All that
 * are of one `kind` have one limit, end when the command is stopped, and a hook that does not answer is not asked again
 * this time. What its receiver refuses, or whose hook is no longer declared, is dropped and named. Returns what
 * need not be delivered again.
 *
 * `statements` write where the journal says that writes go, so that they need the lease; the `messages` do not, and
 * nobody else's command has to wait until a receiver has answered.
 */
export async function deliverOutbox(
  c: Context,
  kind: 'statements' | 'messages',
  stopped: AbortSignal,
): Promise<Settled> {
  const { hooks } = c.environment;
  // Of an environment without hooks, which a drill's is, nothing is sent and nothing is dropped.
  if (hooks === undefined) return new Map();
  const limit = AbortSignal.timeout(c.walks ? patience.controller : patience.person);
  const signal = AbortSignal.any([limit, stopped]);
  const mine = (c.journal.outbox ?? []).filter(
    ({ hook }) => (hooks[hook]?.sql !== undefined) === (kind === 'statements'),
  );
  const each = await Promise.all(
    Object.entries(Object.groupBy(mine, ({ hook }) => hook)).map(([name, left = []]) =>
      deliverInOrder(c, name, left, signal),
    ),
  );
  return new Map(each.flatMap((settled) => [...settled]));
}

/** Those of one hook, until one is not answered. */
async function deliverInOrder(
  c: Context,
  name: string,
  left: NonNullable<Journal['outbox']>,
  signal: AbortSignal,
): Promise<Settled> {
  const settled = new Map<string, Delivered>();
  let thread = c.journal.threads?.[name];
  for (const { event: kept } of left) {
    const event = kept as unknown as HookEvent;
    const outcome = await once(c, thread, c.environment.hooks?.[name], event, signal);
    if (outcome.kind === 'unanswered') break;
    const begun = outcome.kind === 'done' ? outcome.thread : undefined;
    thread = threadAfter(thread, event, begun);
    settled.set(event.id, { hook: name, event, thread: begun });
    if (outcome.kind === 'refused')
      c.emit({ type: 'note', text: `hook ${name}: ${event.id} is dropped: ${outcome.why}` });
  }
  return settled;
}

interface Delivered {
  readonly hook: string;
  readonly event: HookEvent;
  readonly thread: string | undefined;
}

/** By id: what need not be delivered again. */
type Settled = ReadonlyMap<string, Delivered>;

/** The journal without what was delivered. */
export async function forget(ledger: Ledger, settled: Settled): Promise<void> {
  if (settled.size === 0) return;
  for (const { hook, event, thread } of settled.values()) await keepThread(ledger, hook, event, thread);
  await ledger.write((journal) => ({
    ...journal,
    outbox: journal.outbox?.filter(({ event: { id } }) => !settled.has(id)),
  }));
}

async function once(
  c: Context,
  known: Thread | undefined,
  hook: Hook | undefined,
  event: HookEvent,
  signal: AbortSignal,
): Promise<Outcome> {
  if (signal.aborted) return { kind: 'unanswered', why: 'there was no time' };
  if (!hook) return { kind: 'refused', why: 'it is no longer declared' };
  return deliverOnce(c, known, hook, event, signal);
}
