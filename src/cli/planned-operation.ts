import type { Migration } from '../migrations/engine.ts';
import type { PlannedShape } from '../migrations/shapes/in-files.ts';
import type { Finding } from '../model/finding.ts';
import type { Verb } from '../model/transitions.ts';
import type { Operation, Step } from '../operations/engine/operation.ts';

export interface DataPlan {
  readonly source: string;
  readonly place: string;
  readonly why?: string;
  readonly rows?: number;
  readonly ms?: number | undefined;
  /** What it writes that the retained colour does not take: its first row ends the lossless rollback. */
  readonly newValues?: readonly { readonly value: string; readonly type: string }[];
}

/** A step as a plan shows it. */
export type PlannedStep = Pick<Step, 'id' | 'title' | 'why' | 'risk'>;

export interface PlannedOperation {
  readonly verb: Verb;
  readonly to: string;
  readonly because?: string;
  readonly reason?: string;
  readonly pauseMs: number;
  /** All that the folder holds: no database is asked what has run. */
  readonly migrations?: readonly Migration[];
  /** The tool that alone reads the folder's files. */
  readonly tool?: string;
  /** What they do to the schema, but for what is harmless. */
  readonly shapes?: readonly PlannedShape[];
  /** What of them `preflight` and the beginning of `release` refuse. */
  readonly refused?: readonly Finding[];
  /** Statements that write rows, and where each runs: of `migrate` as judged now, of `switch` as it was tried last. */
  readonly data?: readonly DataPlan[];
  /** Why the live colour could not be asked for that. */
  readonly dataUnknown?: string;
  readonly steps: readonly PlannedStep[];
}

export function plannedSteps({ start, complete }: Operation): PlannedStep[] {
  return [...start, ...complete].map(({ id, title, why, risk }) => ({ id, title, why, risk }));
}
