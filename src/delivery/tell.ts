import type { DeliveryRecord } from '../model/delivery-record.ts';
import { walkedSteps } from '../model/hooks.ts';
import type { Journal } from '../model/journal.ts';
import type { Context } from '../operations/engine/context.ts';
import { eventOf } from '../operations/hooks/event.ts';
import { withKept } from '../operations/hooks/outbox.ts';

/**
 * The journal with a message for each hook that asks for what this record says: that an approval is waited for, or that
 * a step failed, with figures and what follows. It is in the write of the record itself, so that it is sent at least
 * once whoever dies.
 */
export function withMessages(c: Context, journal: Journal, before: DeliveryRecord | undefined): Journal {
  const record = journal.delivery;
  const step = c.environment.delivery.steps[record?.step.index ?? -1];
  if (!record || !step) return journal;
  const { kind } = step;
  // A verb that fails is reported by itself.
  const failed = walkedSteps.some((each) => each === kind) && record.stopped !== undefined && !before?.stopped;
  const asks = kind === 'approve' && record.waits !== undefined && before?.waits !== record.waits;
  if (!failed && !asks) return journal;
  const receivers = Object.entries(c.environment.hooks ?? {}).filter(([, hook]) =>
    failed ? hook.failed.some((each) => each === kind) : hook.before.includes('approve'),
  );
  return receivers.reduce((kept, [name]) => withKept(kept, name, messageFor(journal, record, name, kind)), journal);
}

function messageFor(journal: Journal, { step, stopped }: DeliveryRecord, hook: string, verb: string) {
  const attempt = stopped?.at ?? step.since;
  if (!stopped) return eventOf(journal, hook, 'before', { verb, attempt });
  const next = {
    wait: `see \`verdigris status\`; then \`verdigris resume\` or \`verdigris ${journal.state === 'switched' ? 'rollback' : 'abandon'}\`.`,
    abandon: 'the candidate is removed by itself.',
    rollback: 'the writes are moved back by itself, losing nothing.',
  }[stopped.follow];
  const error = { id: 'delivery-stopped', seen: `${stopped.why}.`, next };
  return eventOf(journal, hook, 'failed', { verb, attempt }, error);
}
