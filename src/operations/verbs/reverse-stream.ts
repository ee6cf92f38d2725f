import pg from 'pg';
import type { Colour } from '../../model/colours.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { Stream } from '../../model/journal.ts';
import { carriedDatabases } from '../../model/journal-inside.ts';
import type { Lsn } from '../../model/lsn.ts';
import { readTables } from '../../postgres/catalogue.ts';
import { one, type Client } from '../../postgres/client.ts';
import { mapTables } from '../../postgres/mapping.ts';
import { makeStandIns } from '../../postgres/row-identity.ts';
import { rememberSequences } from '../../postgres/sequences.ts';
import { carriesSlots, untilFlushed } from '../../postgres/standbys.ts';
import { createSlot } from '../../postgres/stream/slot.ts';
import { enableStream, readSubscription, startAt, subscribe, unsubscribe } from '../../postgres/stream/subscription.ts';
import { publish, unpublish } from '../../postgres/stream/publication.ts';
import { isSlotPast, noteStanding } from '../gates/circumstances.ts';
import { keepWitness, proofWitness } from '../gates/witness.ts';
import { cross } from '../engine/cross.ts';
import { outlive } from '../engine/outlive.ts';
import type { Context } from '../engine/context.ts';
import { oneByOne, textInEach } from '../engine/each.ts';
import { newStream } from '../engine/new-stream.ts';
import type { Step } from '../engine/operation.ts';
import { stream } from '../engine/release-record.ts';

/** SQLSTATE class 42: the statement does not fit the objects and rights that are there. */
const accessRuleViolation = '42';

/** The stream that will run the other way once writes have moved; its number is taken at the commit point. */
function nextStreams(c: Context): Stream {
  return newStream(c, c.journal.streams + 1, c.idle, carriedDatabases(c.journal));
}

/** Its name in the database that is worked on. */
function nextName(c: Context): string {
  const { name, databases } = nextStreams(c.whole);
  return c.isInside ? (databases?.[c.environment.database]?.name ?? unknown(c)) : name;
}

function unknown(c: Context): never {
  throw new Error(`the release does not carry ${c.environment.database}`);
}

/** Journal after the commit point: roles are exchanged, and so is the direction of replication. */
export function rolesExchanged(c: Context): { live: Colour; stream: Stream; closing: Stream; streams: number } {
  const { databases, ...next } = nextStreams(c);
  const parts = c.each
    .slice(1)
    .map((inside) => [inside.environment.database, { name: nextName(inside), ...partOf(inside) }] as const);
  return {
    live: c.idle,
    stream: { ...next, ...partOf(c), ...(databases ? { databases: Object.fromEntries(parts) } : {}) },
    closing: stream(c),
    streams: c.journal.streams + 1,
  };
}

function partOf(c: Context): Pick<Stream, 'begins' | 'witness'> {
  return { begins: begins.get(c), witness: stream(c).name };
}

/** Where the way back begins, of the attempt under way. */
const begins = new WeakMap<Context, Lsn>();

/** Everything that can be done before clients wait is done before. */
export const prepareReverse: Step = {
  id: 'prepare-reverse',
  title: 'prepare replication the other way',
  why: 'its slot must exist before the first write on the new live colour; making it may wait, so it is made while nobody does',
  risk: 'retains WAL on the candidate until it is used',
  async run(c) {
    const name = nextName(c);
    await c.on(c.idle, async (to) => {
      await c.on(c.live, async (from) => {
        const { published } = mapTables(await readTables(to), await readTables(from), 'reverse');
        await publish(to, name, published, from);
      });
      await createSlot(to, name, c.environment.limits.slotCreation);
    });
    await outlive(c, c.idle, name, { unused: true });
  },
  async undo(c) {
    const name = nextName(c);
    await c.ifRunning(c.idle, (to) => unpublish(to, name));
  },
};

/**
 * The reverse slot skips what came by replication: it must begin after it and before the first write of a client. A
 * server that crashes forgets how far a slot was advanced since its last checkpoint (docs of
 * pg_replication_slot_advance), so the position goes to the journal with the commit point, and the subscription starts
 * there. All that replication brought is flushed: the barrier waited for that.
 */
export const advanceReverse: Step = {
  id: 'advance-reverse',
  title: 'set the start of reverse replication',
  why: 'what came from the old live colour must not be sent back to it',
  risk: 'none',
  async run(c) {
    const name = nextName(c);
    const { position } = await c.on(c.idle, async (client) => {
      await untilFlushed(client, c.environment.limits.switchover, c.signal);
      return one<{ position: Lsn }>(
        client,
        'SELECT end_lsn::text AS position FROM pg_replication_slot_advance($1, pg_current_wal_flush_lsn())',
        [name],
      );
    });
    begins.set(c, position);
  },
};

export const closeStream: Step = {
  id: 'close-stream',
  title: 'remove the replication that has ended',
  why: 'two directions at once would be a loop',
  risk: 'none: everything it carried has arrived',
  async run(c) {
    const { closing } = c.journal;
    if (!closing) return undefined;
    await c.on(closing.to, async (client) => {
      await unsubscribe(client, closing.name);
      await unpublish(client, proofWitness(closing));
      if (closing.witness !== undefined) await unpublish(client, closing.witness);
    });
    const end = (client: Client) =>
      c.journal.state === 'switched'
        ? keepWitness(client, closing.name, proofWitness(stream(c)))
        : unpublish(client, closing.name);
    return (await c.ifRunning(closing.from, end)) ? undefined : `${closing.from} is down: its slot is left for later`;
  },
};

export const reverse: Step = {
  id: 'reverse',
  title: 'start replication the other way',
  why: 'a rollback then loses nothing',
  risk: 'one more sender on the live colour',
  // The barrier has a limit of its own, which names its cause.
  limit: (c) => c.environment.limits.catchUp + 60_000,
  async run(c) {
    const made = await oneByOne(c, follow);
    // Until now the old stream in the journal says that this is still to be done.
    if (made.every(({ follows }) => follows)) {
      await oneByOne(c, (inside) => noteStanding(inside, made[c.each.indexOf(inside)]?.passed));
      await c.ledger.write((journal) => ({ ...journal, closing: null }));
    }
    return textInEach(
      c,
      made.map(({ detail }) => detail),
    );
  },
};

interface Following {
  readonly follows: boolean;
  readonly detail?: string;
  /** Somebody moved the slot past rows while nothing had it. */
  readonly passed?: boolean;
}

/** Of one database: whether it follows now, and what else is to be said of it. */
async function follow(c: Context): Promise<Following> {
  const { name, from, to, begins: position } = stream(c);
  const conninfo = await c.platform.servers.conninfo(from);
  let refusal: string | undefined;
  let unmade: string | undefined;
  let passed = false;
  const running = await c.ifRunning(to, async (client) => {
    const make = async (): Promise<void> => {
      await rememberSequences(client);
      // One that was started already has moved its slot itself.
      if ((await readSubscription(client, name))?.enabled !== true) passed = await isSlotPast(c, position);
      await subscribe(client, name, conninfo, c.environment.database, await c.on(from, carriesSlots));
      if (position !== undefined) await c.on(from, (publisher) => startAt(publisher, client, name, position));
      await makeStandIns(await c.on(from, readTables), await readTables(client), client);
      await enableStream(client, name);
    };
    unmade = await make().then(() => undefined, schemaRefusal);
    if (unmade === undefined) refusal = await refusalOfApply(c);
  });
  if (unmade !== undefined)
    return {
      follows: false,
      detail: `no lossless rollback until the schemas of ${from} and ${to} fit again, then the next command starts it: ${unmade}`,
    };
  if (!running)
    return {
      follows: false,
      detail: `${to} is down: no lossless rollback until it runs, then the next command starts reverse replication`,
    };
  return refusal === undefined
    ? { follows: true, passed }
    : {
        follows: true,
        passed,
        detail: `${to} refuses what it receives: no lossless rollback until that is fixed there. ${refusal}`,
      };
}

/**
 * A table that somebody renamed, dropped or took a right from since the commit point: nothing that is waited for
 * changes that, and the new live colour must not stay in an operation for it. Rethrows everything else.
 */
function schemaRefusal(error: unknown): string {
  if (error instanceof pg.DatabaseError && error.code?.startsWith(accessRuleViolation)) return error.message;
  throw error;
}

/**
 * Why the other colour cannot apply what it is sent; undefined where all of it has arrived. Clients go on either way.
 */
async function refusalOfApply(c: Context): Promise<string | undefined> {
  return cross(c).then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof VerdigrisError && error.id === 'apply-failed') return error.seen;
      throw error;
    },
  );
}
