import type { Commit } from './commits.ts';
import type { WorkloadLog } from './log.ts';

/** A stretch without a single acknowledged write. Times in milliseconds since 1970. */
export interface Pause {
  readonly from: number;
  readonly to: number;
  readonly ms: number;
}

/** The stretches between acknowledgements, in order of time, up to the moment when the clients stopped sending. */
function gaps(log: WorkloadLog): Pause[] {
  const times = log.attempts
    .flatMap(({ acknowledged }) => (acknowledged ? [acknowledged.at] : []))
    .sort((a, b) => a - b);
  const last = times.at(-1);
  if (last !== undefined && log.stoppedAt > last) times.push(log.stoppedAt);
  return times.slice(1).map((to, index) => {
    const from = times[index] ?? to;
    return { from, to, ms: to - from };
  });
}

/** The longest of them: the write pause as the clients saw it. */
export function longestPause(log: WorkloadLog): Pause | undefined {
  return gaps(log).reduce<Pause | undefined>(
    (longest, gap) => (longest && longest.ms >= gap.ms ? longest : gap),
    undefined,
  );
}

/** For each commit point the stretch around it: no write can be acknowledged at that very moment. */
export function pausesAt(log: WorkloadLog, commits: readonly Commit[]): Pause[] {
  const all = gaps(log);
  return commits.flatMap(
    ({ at }) => all.find(({ from, to }) => from <= at.getTime() && at.getTime() <= to && to > from) ?? [],
  );
}
