import { closeCandidate, leadReadersBack } from './canary.ts';
import { clearColour, clearRole, clearSnapshots, clearStreams, record } from './clear.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { Context } from '../engine/context.ts';
import type { Operation, Step } from '../engine/operation.ts';

const withdraw: Step = {
  id: 'withdraw',
  title: 'move the readers back to the live colour',
  why: 'no client may be on a candidate that is about to be removed',
  risk: "readers' connections are spread again",
  run: withdrawn,
};

/** A full disk is what many come here for: what cannot be closed any more is removed all the same. */
async function withdrawn(c: Context): Promise<string | void> {
  await leadReadersBack(c);
  try {
    await closeCandidate(c);
  } catch (error) {
    if (!(error instanceof VerdigrisError && error.id === 'disk-full')) throw error;
    return `${c.idle} could not be closed, its disk is full`;
  }
}

/** Leaves a release before its switchover. The live colour does not notice. */
export const abandon: Operation = {
  verb: 'abandon',
  clientsWait: () => 0,
  validate: async () => [],
  start: [withdraw],
  complete: [clearStreams, clearColour, clearSnapshots, clearRole, record('abandoned')],
};
