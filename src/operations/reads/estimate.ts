import type { Journal } from '../../model/journal.ts';
import type { Verb } from '../../model/transitions.ts';
import type { HistoryEntry } from '../../platform/port/history.ts';
import type { Platform } from '../../platform/port/platform.ts';
import { one } from '../../postgres/client.ts';
import { withLooker } from '../../postgres/readers.ts';
import { readJournal } from '../engine/ledger.ts';

/** How long something may take; never a promise. */
export interface Estimate {
  readonly ms: number;
  /** By the last release that did it, or by an assumed rate. */
  readonly by: 'history' | 'rate';
}

export interface Estimates {
  /** Of the live server's databases; undefined where it does not answer. */
  readonly bytes: number | undefined;
  readonly verbs: Readonly<Partial<Record<Verb, Estimate>>>;
  /** Milliseconds that clients were held the last time. */
  readonly pauseMs: number | undefined;
}

/**
 * Bytes a second that a copy, and a comparison, are assumed to do where no release has shown it: a disk of no great
 * speed.
 */
const assumed: Readonly<Partial<Record<Verb, number>>> = { seed: 150 * 1024 ** 2, verify: 50 * 1024 ** 2 };

/** What the next release may cost, from the history where it tells, else from the size of the data. */
export async function estimate(platform: Platform): Promise<Estimates> {
  const journal = await readJournal(platform.journal);
  const [history, bytes] = await Promise.all([platform.history.list(), sizeOfLive(platform, journal)]);
  const verbs: Partial<Record<Verb, Estimate>> = {};
  for (const verb of ['seed', 'migrate', 'verify'] as const) {
    const measured = history.map((entry) => lasted(entry, verb)).findLast((ms) => ms > 0);
    const rate = assumed[verb];
    if (measured !== undefined) verbs[verb] = { ms: measured, by: 'history' };
    else if (rate !== undefined && bytes !== undefined) verbs[verb] = { ms: (bytes / rate) * 1000, by: 'rate' };
  }
  return { bytes, verbs, pauseMs: lastPause(journal, history) };
}

/** Milliseconds that clients were held the last time: in this release, else in the last that held them. */
export function lastPause({ release }: Journal, history: readonly HistoryEntry[]): number | undefined {
  return release?.pauseMs ?? history.findLast(({ pauseMs }) => pauseMs !== undefined)?.pauseMs;
}

/** Milliseconds of all steps of a verb that were done; its waits for a person do not count. */
function lasted({ spans }: HistoryEntry, verb: Verb): number {
  return spans
    .filter((span) => span.verb === verb && span.outcome === 'done')
    .reduce((sum, { startedAt, endedAt }) => sum + Date.parse(endedAt) - Date.parse(startedAt), 0);
}

async function sizeOfLive(platform: Platform, { live }: Journal): Promise<number | undefined> {
  try {
    const connection = await platform.servers.connection(live);
    const { bytes } = await withLooker(connection, 'plan', (client) =>
      one<{ bytes: number }>(client, 'SELECT sum(pg_database_size(oid))::float8 AS bytes FROM pg_database'),
    );
    return bytes;
  } catch {
    return undefined;
  }
}
