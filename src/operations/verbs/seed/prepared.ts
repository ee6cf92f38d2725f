import prettyBytes from 'pretty-bytes';
import { programEnd, startProgram } from '../../../machine/program.ts';
import { describe, VerdigrisError } from '../../../model/errors.ts';
import { lsnBytes, lsnDistance, type Lsn } from '../../../model/lsn.ts';
import { connectionIn } from '../../../platform/connection-in.ts';
import { cleanCopy } from '../../../postgres/clean-copy.ts';
import { one, rows, type Client } from '../../../postgres/client.ts';
import { fenceServer } from '../../../postgres/fence.ts';
import { rememberGlobals } from '../../../postgres/globals/carry.ts';
import { withExportedSlot, type ExportedSlot } from '../../../postgres/logical-seed/exported-slot.ts';
import { requireFiles } from '../../../postgres/missing-files.ts';
import { rememberSequences } from '../../../postgres/sequences.ts';
import { serverIdentity } from '../../../postgres/server-identity.ts';
import { forkOf } from '../../../postgres/standby-seed.ts';
import { ensureReplicationRole } from '../../../postgres/stream/source.ts';
import { isSuperuser } from '../../../postgres/superuser.ts';
import type { Context } from '../../engine/context.ts';
import { inFenced } from '../../engine/fenced.ts';
import type { Step } from '../../engine/operation.ts';
import { noteSeed, release, stream } from '../../engine/release-record.ts';
import { scopeOf } from '../../engine/scope.ts';
import { requireSameSchema } from '../../gates/schema.ts';
import { requireSteady } from '../../gates/steady.ts';
import { requireTwoServers } from '../seed-logically.ts';
import { onCandidate } from './on-candidate.ts';
import { withdrawStream } from './origin.ts';
import { positionBeforeSlot } from './position-before-slot.ts';

/** Milliseconds that closing the candidate may take. */
const fenceLimit = 10_000;
/** Milliseconds from asking the program to stop to killing it. */
const grace = 10_000;
/** Characters of what it printed that an error shows. */
const shown = 2_000;

/** What the program says of its copy, as its last line: of the exported snapshot, promoted, or a position itself. */
const lastLine = /^(snapshot|promoted|[0-9A-F]{1,8}\/[0-9A-F]{1,8})$/i;

export const haveCopied: Step = {
  id: 'have-copied',
  title: 'make the slot, have the copy made by seed.command, and close it',
  why: 'the slot begins before the copy does, and the program says exactly where the copy ends',
  risk: 'the live server keeps log, no more than limits.retainedWal, and cannot vacuum until the program ends, which does what it likes',
  async run(c) {
    if (release(c).seed.position) return;
    // Once it is taken nobody else gets in there: the program could not run again.
    if (release(c).seed.said === undefined) await copyByProgram(c);
    await take(c);
    const { slotLsn: begins = '', said = '' } = release(c).seed;
    const position = await positionOf(c, begins, said);
    await requireSteady(c);
    await requireSameSchema(c, c.live, release(c).schema[c.live]);
    await noteSeed(c, { position, method: 'prepared' });
    return `X = ${position}, ${prettyBytes(lsnDistance(begins, position))} after C; whether the copy is whole shows in verify alone`;
  },
  frees: true,
  async undo(c) {
    await withdrawStream(c);
    await c.removeIdle();
  },
};

export const cleanPrepared: Step = {
  id: 'clean-prepared',
  title: 'clean the copy',
  why: 'slots, subscriptions and publications that were copied belong to the original',
  risk: 'none for the live colour',
  async run(c) {
    const copied = await c.on(c.live, slots);
    await onCandidate(c, async (client) => {
      if (await isSuperuser(client)) await requireFiles(client);
      // A copy of the storage has those of the live server: they would keep log for ever.
      await client.query(
        'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active AND slot_name = ANY ($1)',
        [copied],
      );
      await cleanCopy(client, { slots: false });
      await rememberSequences(client);
      await rememberGlobals(client, scopeOf(c));
    });
  },
};

/** The slot is made anew where a program was cut short: what that had copied by then counts for nothing. */
async function copyByProgram(c: Context): Promise<void> {
  const { startTime, timeline } = await c.on(c.live, serverIdentity);
  await noteSeed(c, { startTime, timeline });
  const live = await connectionIn(c.platform.servers, c.live, c.environment.database);
  const noted = await withExportedSlot(live, stream(c).name, c.environment.limits.slotCreation, async (slot) => ({
    slotLsn: slot.position,
    said: await runProgram(c, slot),
  }));
  await noteSeed(c, noted);
}

/** It is a colour from now on, closed to everybody else. */
async function take(c: Context): Promise<void> {
  const { servers, traffic } = c.platform;
  const major = c.environment.colours[c.idle]?.postgres;
  if (major === undefined || !servers.empty) throw new Error('checked by the gates');
  await requireTwoServers(c);
  await servers.empty(c.idle, { generation: c.journal.generation, major });
  await onCandidate(c, async (client) => ensureReplicationRole(client, await servers.replicationPassword?.()));
  await inFenced(c, c.idle, (client) => fenceServer(client, c.ledger.token, fenceLimit, c.environment.fence.accept));
  await traffic.refresh(c.ledger.token);
}

/** X, by what the program said, and by the candidate's own history of timelines where it may be read. */
async function positionOf(c: Context, begins: Lsn, said: string): Promise<Lsn> {
  const fork = await onCandidate(c, async (client) => ((await isSuperuser(client)) ? forkOf(client) : undefined));
  const left = fork && fork.from === release(c).seed.timeline ? fork.position : undefined;
  if (said === 'promoted' && left === undefined)
    throw failed(
      c,
      "says that its copy was promoted, and the copy's history of timelines does not say where, or may not be read",
    );
  const position = said === 'snapshot' ? begins : said === 'promoted' ? (left ?? said) : said;
  if (left !== undefined && lsnBytes(left) !== lsnBytes(position))
    throw failed(
      c,
      `says that its copy ends at ${position}, and the copy was promoted at ${left}: it holds what the live server wrote in between`,
    );
  if (lsnBytes(position) < lsnBytes(begins))
    throw positionBeforeSlot('copy', position, begins, 'the copy is of before the slot: make another');
  const written = await c.on(c.live, async (client) =>
    one<{ position: Lsn }>(client, 'SELECT pg_current_wal_insert_lsn()::text AS position'),
  );
  if (lsnBytes(position) > lsnBytes(written.position))
    throw failed(
      c,
      `says that its copy ends at ${position}, and the live server has written no further than ${written.position}`,
    );
  return position;
}

/** What it says of its copy. @throws VerdigrisError `seed-command` */
async function runProgram(c: Context, slot: ExportedSlot): Promise<string> {
  const { seed, name, database } = c.environment;
  const [program = '', ...args] = seed.command ?? [];
  const live = await connectionIn(c.platform.servers, c.live, database);
  const candidate = await connectionIn(c.platform.servers, c.idle, database);
  const env = {
    VERDIGRIS_ENVIRONMENT: name,
    VERDIGRIS_DATABASE: database,
    VERDIGRIS_TOKEN: String(c.ledger.token),
    VERDIGRIS_POSITION: slot.position,
    VERDIGRIS_SNAPSHOT: slot.snapshot,
    VERDIGRIS_LIVE_HOST: live.host,
    VERDIGRIS_LIVE_PORT: String(live.port),
    VERDIGRIS_COLOUR: c.idle,
    VERDIGRIS_HOST: candidate.host,
    VERDIGRIS_PORT: String(candidate.port),
  };
  const limit = seed.limit;
  const ended = await programEnd(
    startProgram(program, args, { inherits: 'all', env, limit, grace, signal: c.signal }),
  ).catch((cause: unknown) => {
    throw failed(c, describe(cause), cause);
  });
  c.signal.throwIfAborted();
  const { failed: bad, timedOut, exitCode, all = '', stdout = '' } = ended;
  const told = all.trim() === '' ? '' : `: ${all.trim().slice(-shown)}`;
  if (bad)
    throw failed(
      c,
      `${timedOut ? `did not end within ${limit} ms` : `ended with ${exitCode ?? 'no exit code'}`}${told}`,
    );
  const said = stdout.trim().split('\n').at(-1)?.trim() ?? '';
  if (!lastLine.test(said)) throw failed(c, `did not say in its last line where its copy ends${told}`);
  return /^[sp]/i.test(said) ? said.toLowerCase() : said.toUpperCase();
}

async function slots(client: Client): Promise<string[]> {
  const found = await rows<{ name: string }>(client, 'SELECT slot_name AS name FROM pg_replication_slots');
  return found.map(({ name }) => name);
}

function failed(c: Context, why: string, cause?: unknown): VerdigrisError {
  return new VerdigrisError('seed-command', {
    seen: `${(c.environment.seed.command ?? []).join(' ')} ${why}.`,
    required:
      'exit status 0 within seed.limit, and as its last line `snapshot`, `promoted`, or the position at which its copy ends.',
    next: 'fix the program (docs/external.md), then run the same command again; the live server is as before.',
    cause,
  });
}
