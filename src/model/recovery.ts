import type { OperationRecord } from './journal.ts';
import type { Verb } from './transitions.ts';

/** `continue` repeats the steps of `start`; `revert` undoes them; `complete` goes on after the commit point. */
export type Direction = 'continue' | 'revert' | 'complete';

/**
 * Which verbs, cut short before their commit point, go on where they were. The others hold or fence clients, so that
 * undoing at once is what serves the clients.
 */
const resumable: Readonly<Record<Verb, boolean>> = {
  seed: true,
  migrate: true,
  verify: true,
  retire: true,
  abandon: true,
  canary: false,
  switch: false,
  rollback: false,
};

/** The one direction in which an operation that was cut short must go. Total: every record has exactly one. */
export function crashDirection(operation: Pick<OperationRecord, 'verb' | 'phase'>): Direction {
  if (operation.phase === 'complete') return 'complete';
  if (operation.phase === 'revert') return 'revert';
  return resumable[operation.verb] ? 'continue' : 'revert';
}
