import { withTransaction } from '../client.ts';
import type { Bound } from './chunk.ts';
import { lockPatience } from '../lock-patience.ts';
import { insertPosition } from './position.ts';
import { abortable, type ComparePair } from './session.ts';
import { absent, lookUp, type KeyReading } from './states.ts';
import type { Subject } from './subject.ts';
import type { Barrier, KeyVerdict } from './verdict.ts';

/** Milliseconds that writers of these rows may be held up by one attempt, waiting for the lock not counted. */
const holdMs = 500;
/** Milliseconds to wait for the locks: those already had are kept meanwhile, so this is short as well. */
const lockMs = 200;
/** Rows locked at a time. */
const rowsHeld = 20;
const attempts = 6;

/**
 * Settles rows that never stand still: a few at a time are locked FOR SHARE on the live side (a table without a key as
 * a whole, in SHARE mode) while the candidate passes their last change. Each hold ends after half a second whether or
 * not it was enough.
 */
export async function holdKeys(
  pair: ComparePair,
  subject: Subject,
  keys: readonly Bound[],
  barrier: Barrier,
): Promise<KeyVerdict[]> {
  const verdicts: KeyVerdict[] = keys.map(() => ({ is: 'unsettled' }));
  for (let attempt = 0; attempt < attempts; attempt++) {
    const open = verdicts.flatMap((verdict, index) => (verdict.is === 'unsettled' ? [index] : []));
    if (open.length === 0) break;
    // The candidate is brought as near as it gets before anybody is held up.
    await abortable(barrier.passed(await insertPosition(pair.live)), barrier.signal);
    for (let from = 0; from < open.length; from += rowsHeld) {
      const chosen = open.slice(from, from + rowsHeld);
      const found = await once(
        pair,
        subject,
        chosen.map((index) => keys[index] as Bound),
        barrier,
      );
      chosen.forEach((index, place) => {
        verdicts[index] = found[place] ?? { is: 'unsettled' };
      });
    }
  }
  return verdicts;
}

async function once(
  pair: ComparePair,
  subject: Subject,
  keys: readonly Bound[],
  barrier: Barrier,
): Promise<KeyVerdict[]> {
  const locker = await barrier.locker();
  try {
    const patience = await lockPatience(locker, lockMs + holdMs);
    return await withTransaction(locker, async () => {
      await locker.query(
        `SET LOCAL lock_timeout = ${lockMs}; SET LOCAL statement_timeout = ${patience}; SET LOCAL idle_in_transaction_session_timeout = ${4 * holdMs}`,
      );
      if (subject.key.length === 0) await locker.query(`LOCK TABLE ${subject.table.live} IN SHARE MODE`);
      const live = await lookUp(locker, subject, 'live', keys, subject.key.length > 0);
      const barred = barrier.passed(await insertPosition(locker));
      const inTime = await within(barred, holdMs, barrier.signal);
      if (!inTime) return [];
      const candidate = await lookUp(pair.candidate, subject, 'candidate', keys);
      return live.map((reading, place) => compare(subject, reading, candidate[place] as KeyReading));
    });
  } catch (error) {
    barrier.signal.throwIfAborted();
    if (passing.includes((error as { code?: string }).code ?? '')) return [];
    throw error;
  }
}

/** lock_not_available, query_canceled (the time limit), deadlock_detected: another attempt may do. */
const passing = ['55P03', '57014', '40P01'];

function compare(subject: Subject, live: KeyReading, candidate: KeyReading): KeyVerdict {
  if (live.state === candidate.state) return { is: 'equal' };
  // A row that isn't there can't be locked, so under a key it may have come and gone since.
  if (live.state === absent && subject.key.length > 0) return { is: 'unsettled' };
  return { is: 'different', live: live.state, candidate: candidate.state };
}

async function within(work: Promise<void>, ms: number, signal: AbortSignal): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await abortable(Promise.race([work.then(() => true as const), late]), signal);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
