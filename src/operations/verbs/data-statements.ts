import { VerdigrisError } from '../../model/errors.ts';
import type { Colour } from '../../model/colours.ts';
import type { Release } from '../../model/journal.ts';
import { markOnLive, ranOnLive, readHeld, runHeld, tryHeld } from '../../migrations/data/held.ts';
import type { FromFile, Ran } from '../../migrations/data/statement.ts';
import type { DataPolicy, DataReport } from '../../migrations/data/policy.ts';
import { heldFailed, sourceLine } from '../../migrations/data/refusals.ts';
import { dropMigrationRole } from '../../migrations/engines/role.ts';
import { crossBarrier } from '../../postgres/barrier.ts';
import { readTables } from '../../postgres/catalogue.ts';
import { withTransaction, type Client } from '../../postgres/client.ts';
import { ensureControlSchema } from '../../postgres/control.ts';
import { migrationOwner } from '../../postgres/owners.ts';
import { literal } from '../../postgres/quote.ts';
import { countWrites, type RowWrites } from '../../postgres/row-writes.ts';
import { carrySequences } from '../../postgres/sequences.ts';
import type { Context } from '../engine/context.ts';
import type { Step } from '../engine/operation.ts';
import { withOwner } from '../engine/owner-session.ts';
import { note, release, stream } from '../engine/release-record.ts';

type Entry = NonNullable<Release['data']>[number];

/**
 * Milliseconds that statements run at the switchover may take: a tenth of what clients may be held for, all of it where
 * a note asks.
 */
function limitsOf(c: Context): DataPolicy['limits'] {
  return { held: c.environment.limits.pause / 10, asked: c.environment.limits.pause };
}

/** What `migrate` tells an engine about statements that write rows. */
export async function dataPolicy(c: Context): Promise<DataPolicy> {
  // What a statement draws from a sequence when it is tried must not be what the live colour has given out.
  await c.on(c.live, (from) => c.on(c.idle, (to) => carrySequences(from, to)));
  return {
    live: await c.on(c.live, readTables),
    limits: limitsOf(c),
    onLive: (statement, owner) => onLive(c, statement, owner),
    onCandidate: (report) => record(c, [entryOf(report)]),
  };
}

async function onLive(c: Context, statement: FromFile, owner: string | undefined): Promise<void> {
  if (c.environment.colours[c.idle]?.writesLive !== true) throw undeclared(c, statement);
  const { migrationLock, migrationStatement, catchUp } = c.environment.limits;
  await c.on(c.live, ensureControlSchema);
  const writes = await withOwner(c, c.live, owner, (client) =>
    withTransaction(client, async (): Promise<readonly RowWrites[]> => {
      await client.query(
        `SET LOCAL lock_timeout = ${migrationLock}; SET LOCAL statement_timeout = ${migrationStatement}`,
      );
      const before = await ranOnLive(client, statement);
      if (before) return before;
      await client.query(`SET LOCAL role = ${literal(owner ?? 'none')}`);
      const counted = await countWrites(client, async () => {
        await client.query(statement.text);
        await client.query('SET CONSTRAINTS ALL IMMEDIATE');
      }).catch((cause: unknown) => {
        throw heldFailed(
          statement,
          'nothing of it was written. It has to be valid on the schema of the release that is live; fix it or take its note out, and migrate again.',
          cause,
        );
      });
      await markOnLive(client, release(c).to, statement, counted.writes);
      return counted.writes;
    }),
  );
  await record(c, [entryOf({ ...statement, place: 'live', writes })]);
  c.emit({ type: 'note', text: `ran on ${c.live}: ${sourceLine(statement)}: ${writesText(writes)}` });
  await c.on(c.live, (from) => c.on(c.idle, (to) => crossBarrier(from, to, stream(c).name, catchUp, c.signal)));
}

function undeclared(c: Context, statement: FromFile): VerdigrisError {
  return new VerdigrisError('live-writes-undeclared', {
    seen: `${sourceLine(statement)} is to run on ${c.live}, which clients use, by its note place=live.`,
    required: `colours.${c.idle}.writesLive: true in the declaration: abandon does not take back what is written there.`,
    next: 'declare it and migrate again; or take the note out. Nothing of it was written.',
    facts: { file: statement.file, line: statement.line },
  });
}

/** Puts entries in place of those of the same statements. */
async function record(c: Context, entries: readonly Entry[]): Promise<void> {
  await note(c, { data: merged(release(c).data, entries) });
}

function merged(known: Release['data'], entries: readonly Entry[]): Entry[] {
  return [
    ...(known ?? []).filter(
      (each) => !entries.some(({ source, place }) => source === each.source && place === each.place),
    ),
    ...entries,
  ];
}

function entryOf({ writes, place, ...statement }: DataReport): Entry {
  return { at: new Date().toISOString(), place, source: sourceLine(statement), writes: [...writes] };
}

function entriesOf(ran: readonly Ran[]): Entry[] {
  return ran.map(({ held, writes, ms }) => ({ ...entryOf({ ...held, place: 'switch', writes }), ms: Math.ceil(ms) }));
}

/** `3 updated in public.limits`. */
export function writesText(writes: readonly RowWrites[]): string {
  const parts = writes.flatMap(({ table, ...counts }) =>
    Object.entries(counts).flatMap(([what, count]) => (count > 0 ? [`${count} ${what} in ${table}`] : [])),
  );
  return parts.length > 0 ? parts.join(', ') : 'no row';
}

/** What a switchover of this process has looked at: nothing is held back, or a session in which it will run. */
interface Session {
  readonly client: Client;
  /** Once its transaction is open: what ran in it. */
  ran: readonly Ran[] | undefined;
  readonly close: () => Promise<void>;
}
const sessions = new WeakMap<Context, Session | 'nothing'>();

/**
 * Whom what is held back runs as: the owner of now, where it was kept as an owner's.
 * @throws VerdigrisError `data-statement-owner`.
 */
async function heldOwner(c: Context, colour: Colour): Promise<string | undefined> {
  return c.on(colour, async (client) => {
    const held = await readHeld(client);
    const theirs = held.filter(({ role }) => role !== 'none');
    if (theirs.length === 0) return undefined;
    const owner = await migrationOwner(client, c.environment.roles.owner);
    const [first] = theirs;
    if (owner !== undefined && theirs.length === held.length) return owner;
    throw new VerdigrisError('data-statement-owner', {
      seen:
        owner === undefined
          ? `${first ? sourceLine(first) : ''} was tried as ${first?.role}, and no role may change everything that is there any more.`
          : `${held.length - theirs.length} of ${held.length} statements that are held back were tried without an owner, the others as one.`,
      required: 'one owner for all that runs at the switchover.',
      next: 'declare it as roles.owner, or abandon the candidate and seed again; nothing was changed.',
      facts: { held: held.map((each) => ({ source: sourceLine(each), role: each.role })) },
    });
  });
}

/** A session for the user's SQL that stays open over steps: clients must not wait for its connection. */
async function openSession(c: Context): Promise<Session> {
  const opened = Promise.withResolvers<Client>();
  const closing = Promise.withResolvers<void>();
  const ended = withOwner(c, c.idle, await heldOwner(c, c.idle), async (client) => {
    opened.resolve(client);
    await closing.promise;
  });
  ended.catch(opened.reject);
  return {
    client: await opened.promise,
    ran: undefined,
    close: () => {
      closing.resolve();
      return ended.catch(() => undefined);
    },
  };
}

async function closeSession(c: Context): Promise<void> {
  const session = sessions.get(c);
  sessions.delete(c);
  if (session !== undefined && session !== 'nothing') await session.close();
}

/** As `closeSession`, of whichever process had it: its login goes with it. */
async function undoSession(c: Context): Promise<void> {
  await closeSession(c);
  await c.ifRunning(c.idle, (client) => dropMigrationRole(client));
}

/**
 * Milliseconds for a lock when something is tried: less than PostgreSQL waits before it looks for a deadlock, so that
 * apply never loses one.
 */
const tryLock = 500;

async function attempt(c: Context, client: Client, limits: DataPolicy['limits'], next: string): Promise<string> {
  const ran = await withTransaction(client, async () => {
    await client.query(`SET LOCAL lock_timeout = ${tryLock}`);
    return tryHeld(client, limits, next);
  });
  if (ran.length > 0) await record(c, entriesOf(ran));
  const ms = ran.reduce((sum, each) => sum + each.ms, 0);
  return ran.length === 0
    ? 'nothing is held back'
    : `at the switchover, in ${Math.ceil(ms)} ms: ${ran.map(({ held, writes }) => `${sourceLine(held)}: ${writesText(writes)}`).join('; ')}`;
}

/** Of `migrate`, once all its files ran. */
export const tryData: Step = {
  id: 'try-data',
  title: 'try what is held back until the switchover',
  why:
    'a statement that changes rows both colours have would be overwritten by replication before; whether it ' +
    'succeeds, and how long clients will wait for it, is known now',
  risk: 'replication waits for the rows that it writes, until it is rolled back',
  async run(c) {
    return withOwner(c, c.idle, await heldOwner(c, c.idle), (client) =>
      attempt(
        c,
        client,
        limitsOf(c),
        'Abandon the candidate, change the file, and seed again; the live colour is untouched.',
      ),
    );
  },
};

/** Of the switchover: once more with what is there now, in the session that will run it. */
export const tryDataAgain: Step = {
  ...tryData,
  async run(c) {
    if ((await c.on(c.idle, readHeld)).length === 0) {
      sessions.set(c, 'nothing');
      return 'nothing is held back';
    }
    const session = await openSession(c);
    sessions.set(c, session);
    return attempt(
      c,
      session.client,
      // How long it may take was decided when it was migrated.
      { ...limitsOf(c), held: limitsOf(c).asked },
      'Nothing was changed, and clients go on. Change the rows that it meets and switch again; or abandon the candidate, change the file, and seed again.',
    );
  },
  undo: undoSession,
};

/**
 * Behind the barrier, so that nothing that the live colour wrote is missing, and behind the position at which the way
 * back begins, so that the retained colour gets it. The transaction stays open until the commit point: before it,
 * whatever ends this process takes it back.
 */
export const runData: Step = {
  id: 'run-data',
  title: 'run what was held back',
  why: 'all rows of the live colour are here, and nobody can write: it changes each, exactly once',
  risk: 'clients wait for it, as long as it took when it was tried',
  async run(c) {
    const session = sessions.get(c);
    if (session === 'nothing') return undefined;
    if (!session) throw new Error('what is held back was not looked at before the hold');
    const { client } = session;
    await client.query('BEGIN');
    const ran = await runHeld(client, await readHeld(client), (held, cause) =>
      heldFailed(
        held,
        'nothing was changed, and clients go on. Change the rows that it meets and switch again; or abandon the candidate, change the file, and seed again.',
        cause,
      ),
    );
    session.ran = ran;
    return ran.map(({ held, writes }) => `${sourceLine(held)}: ${writesText(writes)}`).join('; ');
  },
  undo: undoSession,
};

/** What the commit point writes to the journal of what ran. */
export function dataRan(c: Context): Partial<Release> {
  const session = sessions.get(c);
  if (session === undefined || session === 'nothing' || !session.ran) return {};
  return { data: merged(release(c).data, entriesOf(session.ran)) };
}

/**
 * Behind the commit point. Where this process is not the one that ran it, the transaction is gone, or committed with
 * its marks.
 */
export const commitData: Step = {
  id: 'commit-data',
  title: 'commit what was held back',
  why: 'from the commit point on it is part of the live colour, and has to be there before its first client',
  risk: 'none: it has run',
  async run(c) {
    const session = sessions.get(c);
    if (session === 'nothing') return;
    const committed =
      session?.ran !== undefined &&
      (await session.client.query('COMMIT').then(
        () => true,
        () => false,
      ));
    if (committed) return;
    await closeSession(c);
    await withOwner(c, c.live, await heldOwner(c, c.live), (client) =>
      withTransaction(client, async () => {
        await runHeld(client, await readHeld(client), (held, cause) =>
          heldFailed(
            held,
            'fix what it meets on the live colour; the same command goes on from here, clients are held meanwhile.',
            cause,
          ),
        );
      }),
    );
  },
};

/** Once nobody waits: the login of the session that ran it, or of a process that was killed. */
export const endData: Step = {
  id: 'end-data',
  title: 'take back the login of what was held back',
  why: 'it was made for these statements alone',
  risk: 'none',
  async run(c) {
    await closeSession(c);
    await c.on(c.live, (client) => dropMigrationRole(client));
  },
};
