import { setTimeout as sleep } from 'node:timers/promises';
import { normalizeSync } from 'libpg-query';
import type { SeenRead } from '../../../model/seen-read.ts';
import { rows, type Client } from '../../../postgres/client.ts';
import type { Colours } from '../colours.ts';
import { comparableOf, type Comparable } from './comparable.ts';
import type { MirrorReport } from './report.ts';
import { pathFor } from './path.ts';
import { difference } from './rows.ts';
import { run, type MirroredRun } from './run.ts';
import { MirrorTally } from './tally.ts';

/** Pairs of connections, one to each colour. */
const pairs = 2;
/** Statements that wait for a pair; what comes beyond is left out, and no client waits for it. */
const waiting = 50;
/** Milliseconds between two looks at what differs: the candidate may not have had a change yet. */
const again = [250, 1_000, 2_000];

interface Pair {
  readonly live: Client;
  readonly candidate: Client;
  /** By role: its search_path. */
  readonly paths: Map<string, Promise<string>>;
}

/**
 * Runs what clients read on both colours, in turns, as the role that can only read, in sessions that cannot write,
 * until the signal. Both are run here, and not the candidate alone: under the same settings, at the same moment and by
 * the same way, so that what differs is the colours' doing.
 */
export async function mirror(
  colours: Colours,
  reads: AsyncIterable<SeenRead>,
  signal: AbortSignal,
): Promise<MirrorReport> {
  const begun = performance.now();
  const seen = new MirrorTally();
  const queue: { readonly read: SeenRead; readonly judged: Exclude<Comparable, { compare: 'nothing' }> }[] = [];
  const volatile = await colours.look(colours.former, volatileFunctions);
  const feed = (async () => {
    for await (const read of reads) {
      if (signal.aborted) return;
      seen.looked++;
      if (read.database !== colours.environment.database) seen.leave('it is of another database');
      else if (queue.length >= waiting) seen.leave('too many came at once');
      else {
        const judged = await comparableOf(read.text, volatile);
        if (judged.compare === 'nothing') seen.leave(judged.why);
        else queue.push({ read, judged });
      }
    }
  })();
  const work = async (pair: Pair): Promise<void> => {
    for (let turn = 0; !signal.aborted; turn++) {
      const next = queue.shift();
      if (next) await compare(pair, next.read, next.judged, seen, turn % 2 === 0, signal);
      else await sleep(20, undefined, { signal }).catch(() => undefined);
    }
  };
  const connected = (): Promise<void> =>
    colours.read(colours.former, (live) =>
      colours.read(colours.candidate, (candidate) => work({ live, candidate, paths: new Map() })),
    );
  await Promise.all([feed, ...Array.from({ length: pairs }, connected)]);
  return seen.report((performance.now() - begun) / 1000);
}

async function compare(
  pair: Pair,
  read: SeenRead,
  judged: { readonly compare: 'rows' | 'times'; readonly id: string },
  seen: MirrorTally,
  liveFirst: boolean,
  signal: AbortSignal,
): Promise<void> {
  const kind = seen.of(judged.id, () => normalizeSync(read.text), judged.compare);
  if (!kind) return seen.leave('too many kinds of statements');
  const path = await pathFor(pair.live, read, pair.paths);
  for (const client of [pair.live, pair.candidate]) await client.query(path);
  const ran: Partial<Record<'live' | 'candidate', MirroredRun>> = {};
  for (const side of liveFirst ? (['live', 'candidate'] as const) : (['candidate', 'live'] as const))
    ran[side] = await run(pair[side], read);
  const { live, candidate } = ran;
  if (!live || !candidate) return;
  if (live.kind === 'rows' && candidate.kind === 'rows') {
    kind.took(live.ms, candidate.ms);
    const found = difference(live.given, candidate.given);
    if (found === undefined) kind.same++;
    // Which rows of a tie come first is nobody's fault; how one kind differs is found out once.
    else if (judged.compare === 'times') kind.undecided++;
    else if (kind.differs > 0 || (await differsStill(pair, read, signal))) kind.differ(found);
    else kind.undecided++;
  } else if (live.kind === 'too large' || candidate.kind === 'too large') seen.leave('its result is too large');
  else kind.failed(live, candidate);
}

/**
 * Whether they differ each time, while the live colour gives the same before and after: what was being written at the
 * time proves nothing.
 */
async function differsStill(pair: Pair, read: SeenRead, signal: AbortSignal): Promise<boolean> {
  for (const ms of again) {
    await sleep(ms, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return false;
    const before = await run(pair.live, read);
    const candidate = await run(pair.candidate, read);
    const after = await run(pair.live, read);
    if (before.kind !== 'rows' || candidate.kind !== 'rows' || after.kind !== 'rows') return false;
    if (difference(before.given, after.given) !== undefined || difference(before.given, candidate.given) === undefined)
      return false;
  }
  return true;
}

/** One of that name may do anything: which one a call means is not looked at. */
async function volatileFunctions(client: Client): Promise<ReadonlySet<string>> {
  const found = await rows<{ name: string }>(
    client,
    "SELECT DISTINCT proname AS name FROM pg_catalog.pg_proc WHERE provolatile = 'v'",
  );
  return new Set(found.map(({ name }) => name));
}
