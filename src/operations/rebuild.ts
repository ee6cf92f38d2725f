import { randomUUID } from 'node:crypto';
import { leaseHolder } from '../machine/operator-name.ts';
import { otherEnvironment, strangers } from '../model/birth.ts';
import { colours, other, type Colour } from '../model/colours.ts';
import type { Environment } from '../model/environment.ts';
import { VerdigrisError } from '../model/errors.ts';
import { furtherDatabases } from '../model/further-databases.ts';
import { indented } from '../model/indented.ts';
import { newJournal, type Journal, type Stream } from '../model/journal.ts';
import { parseJournal, serializeJournal } from '../model/journal-text.ts';
import { streamPrefix } from '../model/names.ts';
import type { Platform } from '../platform/port/platform.ts';
import { partUnfit } from './gates/part.ts';
import { takeNewest } from './newest.ts';
import { withOperator, type OperatorParts } from './operator.ts';
import { askServer, serverText, type ServerWitness } from './rebuild-facts.ts';
import { openLive } from './recover.ts';

/** A journal, the facts that it rests on, one line each, and the revision that it is written after; 0 where none is. */
export interface Rebuilt {
  readonly journal: Journal;
  readonly facts: readonly string[];
  readonly after: number;
}

/**
 * The journal of an environment that lost it, or whose newest revision is damaged: then it is the revision before,
 * where the servers agree with it. Only a colour that is open, or that the clients' path leads to while none
 * is, can be the live one; a second colour becomes the candidate of a release that can only be abandoned. Reads only.
 * Throws `rebuild-needless` where there is a journal and `rebuild-impossible` where the facts contradict each other.
 */
export async function readRebuilt(environment: Environment, platform: Platform): Promise<Rebuilt> {
  const stored = await platform.journal.read();
  if (environment.part) throw partUnfit('`recover --rebuild`');
  if (stored) return revisionBefore(environment, platform, stored);
  const servers = (await Promise.all(colours.map((colour) => askServer(environment, platform, colour)))).flat();
  const routed = await platform.traffic.status().then(
    ({ live }) => live,
    () => undefined,
  );
  const facts = [
    ...servers.map(serverText),
    `the clients' path leads to ${routed ?? 'nowhere that can be determined'}`,
    ...(await platform.remains()).map(({ what }) => what),
  ];
  const live = liveOf(servers, routed);
  if (!live) throw impossible(environment, facts);
  const remains = await platform.remains();
  const uid = live.uid ?? remains.find((trace) => trace.uid !== undefined)?.uid ?? randomUUID();
  const others = strangers(uid, [
    ...remains,
    ...servers.map((server) => ({ what: `the database of ${server.colour}`, uid: server.uid })),
  ]);
  if (others.length > 0) throw otherEnvironment(environment.name, uid, others);
  const idle = servers.find(({ colour }) => colour !== live.colour);
  const generation = Math.max(
    ...servers.map((server) => server.generation),
    ...remains.map(({ what }) => generationIn(what)),
  );
  const journal: Journal = {
    ...newJournal(environment.name, live.colour, live.release, uid),
    generation,
    // Never reused: of those that are gone nothing tells any more but that each generation has had three at most.
    streams: Math.max(...servers.map((server) => server.streams), 3 * generation),
  };
  return { facts, after: 0, journal: idle ? withRelease(journal, live, idle, environment) : journal };
}

/**
 * The damaged revision announced at most what is safe to run twice or to undo without having run, unless it was a
 * commit point: then the other colour is open by now, or nobody has written since.
 */
async function revisionBefore(
  environment: Environment,
  platform: Platform,
  stored: { readonly revision: number; readonly text: string; readonly where: string },
): Promise<Rebuilt> {
  if (!isDamaged(stored)) throw needless(stored.where);
  const before = await platform.journal.before?.();
  if (!before) throw needless(stored.where);
  const journal = parseJournal(before.text, before.where);
  const servers = (await Promise.all(colours.map((colour) => askServer(environment, platform, colour)))).flat();
  const facts = [
    `${stored.where} is damaged; the revision before it, ${before.where}, is whole: ${journal.live} is live`,
    ...servers.map(serverText),
  ];
  const open = (colour: Colour): boolean | undefined => servers.find((each) => each.colour === colour)?.open;
  const [live, idle] = [open(journal.live), open(other(journal.live))];
  if (live === undefined || idle === true) throw impossible(environment, facts);
  return { journal, facts, after: stored.revision };
}

function isDamaged({ text, where }: { readonly text: string; readonly where: string }): boolean {
  try {
    parseJournal(text, where);
    return false;
  } catch (error) {
    return error instanceof VerdigrisError && ['journal-cut', 'journal-edited'].includes(error.id);
  }
}

function needless(where: string): VerdigrisError {
  return new VerdigrisError('rebuild-needless', {
    seen: `There is a journal: ${where}.`,
    required: 'no journal, or a damaged one with the revision before it: a journal knows more than the servers do.',
    next: 'run `verdigris status`. If this journal is refused, docs/operations/journal.md says how to restore the right one, or to move it away.',
  });
}

/**
 * Writes it under a lease that is above everything the databases have seen, and opens a live colour that a switchover
 * had closed.
 */
export async function writeRebuilt(parts: OperatorParts, { journal, after }: Rebuilt): Promise<void> {
  const { platform } = parts;
  const { lease } = await takeNewest(parts, (above) =>
    platform.leases.acquire(leaseHolder('recover --rebuild'), undefined, above),
  );
  try {
    await platform.journal.write(after, serializeJournal({ ...journal, token: lease.token }));
  } finally {
    await lease.release();
  }
  await withOperator(parts, 'recover', openLive);
}

function liveOf(servers: readonly ServerWitness[], routed: Colour | undefined): ServerWitness | undefined {
  const open = servers.filter((server) => server.open === true);
  if (open.length === 1) return open[0];
  // Between the fence and the opening nobody has written: whoever the path leads to holds all that was acknowledged.
  return open.length === 0 ? servers.find(({ colour, open: is }) => colour === routed && is === false) : undefined;
}

function withRelease(journal: Journal, live: ServerWitness, idle: ServerWitness, environment: Environment): Journal {
  const { name } = environment;
  const further = furtherDatabases(environment);
  const streamOf = (subscription: string, to: Colour): Stream => ({ name: subscription, from: other(to), to });
  const [stream] = idle.follows.map((each) => streamOf(each, idle.colour));
  const [closing] = live.follows.map((each) => streamOf(each, live.colour));
  return {
    ...journal,
    state: 'seeded',
    release: {
      from: live.release,
      to: idle.release,
      candidate: idle.colour,
      startedAt: new Date().toISOString(),
      rebuilt: true,
      seed: {},
      schema: {},
      ...(further.length > 0
        ? { databases: Object.fromEntries(further.map((database) => [database, { seed: {}, schema: {} }])) }
        : {}),
    },
    stream: stream ?? { name: `${streamPrefix(name)}${journal.streams}`, from: live.colour, to: idle.colour },
    closing: closing ?? null,
  };
}

function generationIn(what: string): number {
  return Number(/-(?:blue|green)-(\d+)/.exec(what)?.[1] ?? 1);
}

function impossible({ name }: Environment, facts: readonly string[]): VerdigrisError {
  return new VerdigrisError('rebuild-impossible', {
    seen: `What is left of ${name} does not show which colour is live:\n${indented(facts)}`,
    required: 'one running server that is open, or a closed one that clients are routed to.',
    next:
      'nothing was changed. Start the server that has the data; where both are open, stop the one that must ' +
      'not take writes (its data stays), then run the same command.',
    facts: { found: facts },
  });
}
