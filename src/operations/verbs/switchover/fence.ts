import { randomUUID } from 'node:crypto';
import { closeServer, unfence } from '../../../postgres/fence.ts';
import { fenceTables, openTables } from '../../../postgres/part/fence.ts';
import { dropStandIns } from '../../../postgres/row-identity.ts';
import type { Context } from '../../engine/context.ts';
import { sideBySide } from '../../engine/each.ts';
import { inFenced } from '../../engine/fenced.ts';
import { tablesAt } from '../../engine/part.ts';
import type { Step } from '../../engine/operation.ts';

const refusals = new WeakMap<Context, Promise<void>>();

/** Of the attempt under way: settles when the live colour was seen to refuse whoever tries to get in. */
export function refusing(c: Context): Promise<void> | undefined {
  return refusals.get(c);
}

export const fence: Step = {
  id: 'fence',
  title: 'fence the live colour',
  why: "no writer may be left there, not even one that bypasses the clients' path",
  risk: "sessions that do not come through the clients' path are ended",
  async run(c) {
    const tables = tablesAt(c, c.live);
    if (tables !== undefined) {
      await c.on(c.live, (client) => fenceTables(client, c.ledger.token, tables, c.environment.limits.pause));
      return;
    }
    const password = randomUUID();
    const closed = await inFenced(c, c.live, (client) =>
      closeServer(client, c.ledger.token, c.environment.limits.pause, c.environment.fence.accept, password),
    );
    const all = Promise.all(closed.map(({ refused }) => refused)).then(() => undefined);
    all.catch(() => undefined);
    refusals.set(c, all);
  },
  async undo(c) {
    // A live server that crashed meanwhile is needed again, whatever else happens.
    await c.platform.servers.start(c.live);
    await openFenced(c);
  },
};

/** Exactly what the fence closed: all of a server, or some tables. */
export async function openFenced(c: Context): Promise<void> {
  const tables = tablesAt(c, c.live);
  await inFenced(c, c.live, (client) =>
    tables === undefined
      ? unfence(client, c.ledger.token)
      : openTables(client, c.ledger.token, tables, c.environment.limits.switchover),
  );
}

/** From here `live` is the colour that was the candidate. */
export const open: Step = {
  id: 'open',
  title: 'open the new live colour',
  why: "the applications' roles may log in there from now on",
  risk: 'none: the old one is closed, and the journal says which is live',
  async run(c) {
    await sideBySide(c, (inside) => inside.on(inside.live, dropStandIns));
    await openFenced(c);
  },
};
