import { describe } from '../model/errors.ts';
import { answerWithin } from '../model/wait.ts';
import { finding, type Finding } from '../model/finding.ts';

/**
 * One thing that is used behind the commit point of a switchover, where clients wait for it and there is no way back.
 */
export interface Trial {
  /** What is used, and from where where that is not plain. */
  readonly thing: string;
  /** What fixes it. */
  readonly fix: string;
  /** Uses it. Throws where it cannot be used. */
  use(): Promise<unknown>;
}

/** Milliseconds for one trial: a rule that drops packets says nothing. */
const trialLimit = 5_000;

/** Uses each once, all at the same time, and says which could not be used. */
export async function tryAll(trials: readonly Trial[]): Promise<Finding[]> {
  const outcomes = await Promise.allSettled(trials.map((trial) => answerWithin(trialLimit, '', trial.use())));
  return outcomes.flatMap((outcome, index) => {
    const trial = trials[index];
    if (!trial || outcome.status === 'fulfilled') return [];
    return [
      finding('not-usable', {
        objects: [`${trial.thing}: ${describe(outcome.reason)}`],
        reason: 'Clients wait there until it works, and there is no way back.',
        fix: trial.fix,
      }),
    ];
  });
}
