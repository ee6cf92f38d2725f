import { firstThenRest, inEach, sideBySide } from '../engine/each.ts';
import type { Step } from '../engine/operation.ts';
import { finishTool } from './at-switchover/run.ts';
import { commitData, endData, runData } from './data-statements/steps.ts';
import { tryDataAgain } from './data-statements/trial.ts';
import { advanceReverse, closeStream, prepareReverse, reverse } from './reverse-stream.ts';
import { look, seal } from './seal.ts';
import { barrier, settle } from './switchover/barrier.ts';
import { carry, sequences } from './switchover/carry.ts';
import { fence, open } from './switchover/fence.ts';
import { hold, resume } from './switchover/hold.ts';
import { probe, route, watchingPath } from './switchover/path.ts';
import { tryOut } from './switchover/try-out.ts';

const beforeHold = [inEach(look), tryOut, settle];
const toCommitPoint = [
  hold,
  fence,
  inEach(seal, sideBySide),
  inEach(sequences, firstThenRest),
  barrier,
  inEach(advanceReverse, sideBySide),
];
const toResume = [open, route, probe, resume];

/** The steps that hold clients, and those on either side of them. */
export const startSteps: readonly Step[] = [
  inEach(prepareReverse),
  inEach(carry),
  ...beforeHold,
  ...whileHeld(...toCommitPoint),
];
export const completeSteps: readonly Step[] = [
  ...whileHeld(...toResume),
  watchingPath(inEach(closeStream)),
  watchingPath(reverse),
];

/** The same with what migrations held back, in a release's own direction. */
export const startWithData: readonly Step[] = [
  inEach(prepareReverse),
  inEach(carry),
  tryDataAgain,
  ...beforeHold,
  ...whileHeld(...toCommitPoint, runData, finishTool),
];
export const completeWithData: readonly Step[] = [
  ...whileHeld(commitData, ...toResume),
  watchingPath(endData),
  watchingPath(inEach(closeStream)),
  watchingPath(reverse),
];

function whileHeld(...steps: readonly Step[]): Step[] {
  return steps.map((step) => ({ ...step, held: true }));
}
