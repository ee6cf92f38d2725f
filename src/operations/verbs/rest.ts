import { finding, refuses } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import { waitFor } from '../../model/wait.ts';
import { markerOf } from '../../postgres/barrier.ts';
import { readSlot } from '../../postgres/stream/slot.ts';
import { cross } from '../engine/cross.ts';
import type { Context } from '../engine/context.ts';
import { oneByOne } from '../engine/each.ts';
import type { Step } from '../engine/operation.ts';
import { stream } from '../engine/release-record.ts';
import { isSlotPast, noteStanding } from '../gates/circumstances.ts';
import { followRotation } from './rotate-own.ts';

/** Whether the retained colour's server was stopped because it is declared to be, and not by a fault. */
export async function resting(c: Context): Promise<boolean> {
  return (
    c.environment.retention.mode === 'scaled-down' &&
    c.journal.state === 'switched' &&
    c.journal.closing === null &&
    (await c.platform.servers.observe(c.idle))?.running === false
  );
}

export const rest: Step = {
  id: 'rest',
  title: 'stop the retained colour, if it is declared scaled down',
  why: 'its memory and processors are free; its storage stays',
  risk: 'the live colour retains WAL for it, up to limits.retainedWal: beyond that no lossless rollback is possible',
  async run(c) {
    if (c.environment.retention.mode === 'warm') return 'kept warm';
    // Replication the other way has not begun, because that colour was down: it is needed once more.
    if (c.journal.closing !== null) return `${c.idle} still has to follow`;
    const seen = await c.platform.servers.observe(c.idle);
    await c.requireLease();
    await c.platform.servers.stop(c.idle, 'fast', seen?.generation);
    await oneByOne(c, noteRest);
    return undefined;
  },
};

/** What the server said last is taken in by the sender after it has ended. */
async function noteRest(c: Context): Promise<void> {
  const { name, from } = stream(c);
  const slot = await waitFor(
    async () => {
      const seen = await c.on(from, (client) => readSlot(client, name));
      return seen?.active === true ? undefined : { rested: seen?.confirmed };
    },
    { limit: 60_000, signal: c.signal, what: `the end of the sender of ${name}`, next: 'see pg_replication_slots.' },
  );
  await c.ledger.write((journal) => ({ ...journal, stream: journal.stream && { ...journal.stream, ...slot } }));
}

/** Starts a retained colour that rests, and lets it catch up: what a rollback asks of it, it can answer then. */
export async function wake(c: Context): Promise<void> {
  if (!(await resting(c)) || refuses(await restingFindings(c))) return;
  const { to } = stream(c);
  c.emit({ type: 'note', text: `${to} is scaled down: starting it` });
  const moved = (await oneByOne(c, (inside) => isSlotPast(inside, stream(inside).rested))).includes(true);
  await c.platform.servers.start(to);
  // Right before it was stopped a marker crossed, and none since: a storage that has it is the one of then.
  const asLeft = !moved && !(await oneByOne(c, markersAgree)).includes(false);
  await followRotation(c);
  await oneByOne(c, (inside) => cross(inside));
  if (asLeft) await oneByOne(c, noteStanding);
}

async function markersAgree(c: Context): Promise<boolean> {
  const { name, from, to } = stream(c);
  const sent = await c.on(from, (client) => markerOf(client, name));
  return sent !== undefined && sent === (await c.on(to, (client) => markerOf(client, name)));
}

/** What can be said of a rollback before the retained colour is woken. */
export async function restingFindings(c: Context): Promise<Finding[]> {
  const { name, from, to } = stream(c);
  const slot = await c.on(from, (client) => readSlot(client, name));
  const kept = slot !== undefined && slot.walStatus !== 'lost';
  return [
    kept
      ? finding('retained-rests', {
          title: `${to} is scaled down and ${Math.round(slot.behind / 1024)} KiB behind`,
          objects: [to],
          reason: 'A rollback starts it and waits until it has caught up; clients do not notice.',
        })
      : finding(slot ? 'slot-lost' : 'slot-missing', {
          title: `the log that ${to} needs is gone from ${from}`,
          objects: [name],
          reason: 'It was scaled down for longer than limits.retainedWal lasts.',
          fix: 'A lossless rollback is no longer possible; see `verdigris rollback --help` for the lossy one, or retire.',
        }),
  ];
}
