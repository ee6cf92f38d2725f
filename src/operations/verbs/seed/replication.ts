import { carriesSlots } from '../../../postgres/standbys.ts';
import { enableStream, startAt, subscribe, unsubscribe } from '../../../postgres/stream/subscription.ts';
import type { Step } from '../../engine/operation.ts';
import { cross } from '../../engine/cross.ts';
import { outlive } from '../../engine/outlive.ts';
import { release, stream } from '../../engine/release-record.ts';
import { requireSteady } from '../../gates/steady.ts';

export const subscription: Step = {
  id: 'subscription',
  title: 'subscribe from X',
  why: 'changes after X come by replication; those before it are in the copy',
  risk: 'disabled until its start is set: a worker that began earlier would lose data',
  async run(c) {
    const { name, from } = stream(c);
    const { position: start } = release(c).seed;
    if (!start) throw new Error('the position is written down before the subscription is made');
    await requireSteady(c);
    const conninfo = await c.platform.servers.conninfo(from);
    const carried = await c.on(from, carriesSlots);
    await c.on(c.idle, async (client) => {
      await subscribe(client, name, conninfo, c.environment.database, carried);
      await c.on(from, (publisher) => startAt(publisher, client, name, start));
    });
  },
  async undo(c) {
    if (c.journal.stream && (await c.platform.servers.observe(c.idle))?.running)
      await c.on(c.idle, (client) => unsubscribe(client, stream(c).name)).catch(() => undefined);
  },
};

export const enable: Step = {
  id: 'enable',
  title: 'start replication',
  why: 'the candidate catches up with what was written since X',
  risk: 'one more sender on the live server',
  async run(c) {
    await requireSteady(c);
    await c.on(c.idle, (client) => enableStream(client, stream(c).name));
  },
};

export const catchUp: Step = {
  id: 'catch-up',
  title: 'wait until the candidate has caught up',
  why: 'a marker written now must arrive, which proves that replication works from end to end',
  risk: 'none; gives up after limits.catchUp',
  async run(c) {
    const lsn = await c.keeping([c.live, c.idle], () => cross(c));
    await requireSteady(c);
    await outlive(c, c.live, stream(c).name, { unused: false });
    return `in step at ${lsn}`;
  },
};
