import { withdrawCanary } from './canary.ts';
import { clearColour, clearRole, clearSnapshots, clearStreams, record } from './clear.ts';
import type { Operation, Step } from '../engine/operation.ts';

const withdraw: Step = {
  id: 'withdraw',
  title: 'move the readers back to the live colour',
  why: 'no client may be on a candidate that is about to be removed',
  risk: "readers' connections are spread again",
  run: withdrawCanary,
};

/** Leaves a release before its switchover. The live colour does not notice. */
export const abandon: Operation = {
  verb: 'abandon',
  clientsWait: () => 0,
  validate: async () => [],
  start: [withdraw],
  complete: [clearStreams, clearColour, clearSnapshots, clearRole, record('abandoned')],
};
