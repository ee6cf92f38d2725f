import type { WriteAttempt } from './log.ts';

/** A commit point: from `at` on, `to` is the one that takes writes. */
export interface Commit {
  readonly at: Date;
  readonly from: string;
  readonly to: string;
}

/**
 * Whether a write was acknowledged by a colour that was not live at any moment between its sending and its
 * acknowledgement. Times are whole milliseconds of this machine's clock, so what was sent in the commit point's own
 * millisecond counts as before it.
 * `commits` in order of time; without any, every colour is right.
 */
export function acknowledgedByWrongColour({ sent, acknowledged }: WriteAttempt, commits: readonly Commit[]): boolean {
  const [first] = commits;
  if (!first || !acknowledged) return false;
  const live = commits.findLast(({ at }) => at.getTime() < sent)?.to ?? first.from;
  const during = commits
    .filter(({ at }) => at.getTime() >= sent && at.getTime() <= acknowledged.at)
    .map(({ to }) => to);
  return ![live, ...during].includes(acknowledged.colour);
}
