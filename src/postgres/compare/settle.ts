import type { Bound } from './chunk.ts';
import { holdKeys } from './hold.ts';
import { insertPosition } from './position.ts';
import { abortable, type ComparePair } from './session.ts';
import { lookUp, type KeyReading } from './states.ts';
import type { Subject } from './subject.ts';
import type { Barrier, KeyVerdict } from './verdict.ts';

export interface SettledKeys {
  readonly verdicts: readonly KeyVerdict[];
  /** How many of them took a lock. */
  readonly byLock: number;
}

/** Rounds without a lock; a row that was merely in flight is settled in the first. */
const rounds = 5;

const equal: KeyVerdict = { is: 'equal' };

/**
 * Tells rows that differ from rows that are on their way. A difference is only ever pronounced where the candidate was
 * read at a position of the log at which the live row is known:
 * - a live row of the same version before and after the candidate was read, the candidate having passed the first
 *   reading;
 * - or a candidate row of the same version before and after it passed a reading of the live row.
 * Equal readings before and after are not enough, since a value may go away and come back in between; so versions are
 * compared, and the absence of a row, which has no version, never stands for rest.
 */
export async function settleKeys(
  pair: ComparePair,
  subject: Subject,
  keys: readonly Bound[],
  barrier: Barrier,
): Promise<SettledKeys> {
  const verdicts: (KeyVerdict | undefined)[] = keys.map(() => undefined);
  const seen = keys.map((): { live?: KeyReading; candidate?: KeyReading } => ({}));
  let open = keys.map((_, index) => index);

  for (let round = 0; round < rounds && open.length > 0; round++) {
    const chosen = open.map((index) => keys[index] as Bound);
    const live = await lookUp(pair.live, subject, 'live', chosen);
    await abortable(barrier.passed(await insertPosition(pair.live)), barrier.signal);
    const candidate = await lookUp(pair.candidate, subject, 'candidate', chosen);
    open.forEach((index, place) => {
      const [now, there] = [live[place] as KeyReading, candidate[place] as KeyReading];
      const before = seen[index] as { live?: KeyReading; candidate?: KeyReading };
      verdicts[index] = judge(before, now, there);
      seen[index] = { live: now, candidate: there };
    });
    open = open.filter((index) => verdicts[index] === undefined);
  }

  const held =
    open.length > 0
      ? await holdKeys(
          pair,
          subject,
          open.map((index) => keys[index] as Bound),
          barrier,
        )
      : [];
  open.forEach((index, place) => {
    verdicts[index] = held[place];
  });
  return {
    verdicts: verdicts.map((verdict) => verdict ?? { is: 'unsettled' }),
    byLock: held.filter((verdict) => verdict.is !== 'unsettled').length,
  };
}

function judge(
  before: { live?: KeyReading; candidate?: KeyReading },
  live: KeyReading,
  candidate: KeyReading,
): KeyVerdict | undefined {
  if (candidate.state === live.state || before.candidate?.state === live.state) return equal;
  if (before.live && before.candidate && stood(before.live, live))
    return { is: 'different', live: live.state, candidate: before.candidate.state };
  if (before.candidate && stood(before.candidate, candidate))
    return { is: 'different', live: live.state, candidate: candidate.state };
  return undefined;
}

function stood(earlier: KeyReading, later: KeyReading): boolean {
  return earlier.version !== null && earlier.version === later.version;
}
