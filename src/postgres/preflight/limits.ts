import type { Environment } from '../../model/environment.ts';

/** What checks measure against. */
export interface CheckLimits {
  /** Age in milliseconds above which an open transaction is refused. */
  readonly longTransactionMs: number;
  /**
   * WAL in bytes that the slot may hold back on the live server before the candidate is given up; 0 for no budget.
   */
  readonly retainedWalBytes: number;
  /** Time in milliseconds that creating the slot may take. */
  readonly slotCreationMs: number;
  /** Values added to each sequence at the switchover. */
  readonly sequenceMargin: number;
  /** Time in milliseconds that one check may take. */
  readonly checkMs: number;
}

export function checkLimits(limits: Environment['limits']): CheckLimits {
  return {
    longTransactionMs: limits.longTransaction,
    retainedWalBytes: limits.retainedWal,
    slotCreationMs: limits.slotCreation,
    sequenceMargin: 32,
    checkMs: 15_000,
  };
}
