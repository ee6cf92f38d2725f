import { ensureControlSchema } from '../../../postgres/control.ts';
import { createLike, readLocale } from '../../../postgres/create-like.ts';
import { fenceServer } from '../../../postgres/fence.ts';
import type { Client } from '../../../postgres/client.ts';
import { carryGlobals } from '../../../postgres/globals/carry.ts';
import { unreadable } from '../../../postgres/globals/read.ts';
import { findPgDump } from '../../../postgres/logical-seed/program.ts';
import { requireUntouched } from '../../../postgres/logical-seed/ledger.ts';
import { seedFromSnapshot, type Seeded, type SnapshotSeed } from '../../../postgres/logical-seed/snapshot.ts';
import { dropSyncSlots } from '../../../postgres/logical-seed/sync-slots.ts';
import { seedByTables } from '../../../postgres/logical-seed/tables.ts';
import { ident } from '../../../postgres/quote.ts';
import { quietly } from '../../../postgres/secretly.ts';
import { withOwnSession } from '../../../postgres/session.ts';
import { serverIdentity } from '../../../postgres/server-identity.ts';
import { ensureReplicationRole } from '../../../postgres/stream/source.ts';
import { unsubscribe } from '../../../postgres/stream/subscription.ts';
import { passwordClause } from '../../../postgres/verifier.ts';
import type { Context } from '../../engine/context.ts';
import { oneByOne } from '../../engine/each.ts';
import type { Step } from '../../engine/operation.ts';
import { inFenced } from '../../engine/fenced.ts';
import { dumpedObjects } from '../../engine/part.ts';
import { noteSeed, release, stream } from '../../engine/release-record.ts';
import { scopeOf } from '../../engine/scope.ts';
import { requireSameSchema } from '../../gates/schema.ts';
import { requireSteady } from '../../gates/steady.ts';
import { onCandidate } from './on-candidate.ts';
import { withdrawStream } from './origin.ts';
import { connectionIn } from '../../../platform/connection-in.ts';

/** Milliseconds that closing the candidate may take. */
const fenceLimit = 10_000;

export const empty: Step = {
  id: 'empty',
  title: 'prepare an empty server, closed to applications',
  why: 'rows that anybody else wrote there would be lost or collide',
  risk: 'none for the live colour; on a server that others run, nobody can log in from now on but Verdigris',
  async run(c) {
    const { servers } = c.platform;
    const major = c.environment.colours[c.idle]?.postgres;
    if (major === undefined || !servers.empty) throw new Error('checked by the gates');
    const like = await c.on(c.live, readLocale);
    await servers.empty(c.idle, { generation: c.journal.generation, major, like });
    const candidate = await servers.connection(c.idle);
    const told = await oneByOne(c, async (inside) => {
      const differs = await inside.on(inside.live, (live) => createLike(live, candidate, inside.environment.database));
      await onCandidate(inside, ensureControlSchema);
      await withOwnSession({ ...candidate, database: inside.environment.database }, 'seed', requireUntouched);
      return differs;
    });
    await onCandidate(c, async (client) => ensureReplicationRole(client, await servers.replicationPassword?.()));
    await inFenced(c, c.idle, (client) => fenceServer(client, c.ledger.token, fenceLimit, c.environment.fence.accept));
    await c.platform.traffic.refresh(c.ledger.token);
    const differences = told.filter((each) => each !== undefined);
    return differences.length === 0 ? undefined : differences.join('; ');
  },
  async undo(c) {
    const made = c.journal.stream;
    await c.removeIdle(made ? [made, ...Object.values(made.databases ?? {})].map(({ name }) => name) : []);
  },
};

export const roles: Step = {
  id: 'roles',
  title: 'carry roles, passwords and settings',
  why: 'the schema names owners and grants, and clients log in with the passwords that they have',
  risk: 'none for the live colour: nobody can log in on the other one by them yet',
  run: async (c) => {
    const carried = await oneByOne(c, (inside) =>
      inside.on(inside.live, (from) => onCandidate(inside, (to) => carryGlobals(from, to, scopeOf(inside)))),
    );
    const all = `${carried.reduce((sum, each) => sum + each, 0)} roles, grants and settings`;
    return c.on(c.live, (from) =>
      onCandidate(c, async (to) => {
        if (!(await unreadable(from)).includes('password')) return all;
        const [set, left] = await setDeclaredPasswords(c, to);
        return [
          `${all}; passwords cannot be read there: set as declared for ${set.join(', ') || 'none'}`,
          ...(left.length > 0 ? [`to be set at ${c.idle} by whom they belong to: ${left.join(', ')}`] : []),
        ].join('; ');
      }),
    );
  },
};

/** Of roles whose clients come: which got the password that the declaration names, and which it names none of. */
async function setDeclaredPasswords(c: Context, to: Client): Promise<[set: string[], left: string[]]> {
  const { application, readers } = c.environment.roles;
  const left: string[] = [];
  const given = new Map<string, string>();
  for (const role of new Set([...application, ...readers])) {
    const password = await c.platform.credentials.given(role);
    if (password === undefined) left.push(role);
    else given.set(role, password);
  }
  // Before they are set: who gives the release up has to say which were.
  await noteSeed(c, { passwords: [...given.keys()] });
  for (const [role, password] of given)
    await quietly(to, async () => void (await to.query(`ALTER ROLE ${ident(role)} ${passwordClause(password)}`)));
  return [[...given.keys()], left];
}

/** Beside the live server, or of this machine. */
async function dumpProgram(c: Context, live: number, candidate: number): Promise<SnapshotSeed['pgDump']> {
  return c.platform.servers.dumper?.(c.live) ?? (await findPgDump(live, candidate));
}

/** That there is one is said before anything is made. */
export async function requirePgDump(c: Context): Promise<void> {
  const live = await c.platform.servers.observe(c.live);
  const candidate = c.environment.colours[c.idle]?.postgres;
  if (live && candidate !== undefined) await dumpProgram(c, live.major, candidate);
}

export const copy: Step = {
  id: 'copy',
  title: 'copy schema and rows as of C, where the slot begins',
  why: 'one snapshot, of all tables or of each, shows exactly what the slot does not send: nothing comes twice',
  risk: 'reads every row of the live server, which cannot vacuum what is deleted while a snapshot is kept; waits while its clients are busy',
  async run(c) {
    const [from, to] = await Promise.all([c.live, c.idle].map((colour) => c.platform.servers.observe(colour)));
    if (!from || !to) throw new Error('both are there since the steps before');
    const { startTime, timeline } = await c.on(c.live, serverIdentity);
    await noteSeed(c, { startTime, timeline });
    const { database, limits, seed } = c.environment;
    const view = await c.view(c.live);
    const given = {
      live: { ...(await c.platform.servers.connection(c.live)), database, lens: view?.lens },
      part: view && (await c.on(c.live, (client) => dumpedObjects(client, view.cut))),
      candidate: await connectionIn(c.platform.servers, c.idle, database),
      stream: stream(c).name,
      pgDump: await dumpProgram(c, from.major, to.major),
      slotLimit: limits.slotCreation,
      workers: seed.workers,
      busy: seed.busy,
      signal: c.signal,
      onProgress: ({ done, total, unit }) =>
        c.emit({ type: 'progress', step: 'copy', done, total, unit: unit === 'bytes' ? unit : 'items' }),
    } satisfies SnapshotSeed;
    const seeded =
      seed.method === 'snapshot'
        ? await seedFromSnapshot(given)
        : await seedByTables({
            ...given,
            conninfo: await c.platform.servers.conninfo(c.live),
            onSubscribed: (syncSlots) => noteSeed(c, { syncSlots }),
          });
    // Foreign servers came with the schema: what is of their users can be said now.
    if (!view) await c.on(c.live, (live) => onCandidate(c, (client) => carryGlobals(live, client, scopeOf(c))));
    await requireSteady(c);
    await requireSameSchema(c, c.live, release(c).schema[c.live]);
    await noteSeed(c, { slotLsn: seeded.position, position: seeded.position, method: seed.method });
    return copied(seeded, seed.method === 'tables');
  },
  frees: true,
  async undo(c: Context) {
    const { syncSlots } = release(c).seed;
    if (syncSlots !== undefined) {
      await c.ifRunning(c.idle, (candidate) => unsubscribe(candidate, stream(c).name));
      await c.on(c.live, (live) => dropSyncSlots(live, syncSlots));
    }
    await withdrawStream(c);
  },
};

function copied({ position, rows, horizonMs }: Seeded, byTables: boolean): string {
  const held = `${Math.round(horizonMs / 1000)} s`;
  return byTables
    ? `C = ${position}, table by table; the live server could not vacuum for ${held} at most at a time`
    : `C = ${position}, ${rows} rows; the live server could not vacuum for ${held}`;
}
