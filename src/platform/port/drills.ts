import type { DrillPart } from '../../model/drill-parts.ts';

/** What came of drills. */
export interface DrillStore {
  /** Also tells whoever watches the platform. `where` names the report for people. */
  record(outcome: DrillOutcome): Promise<{ readonly where: string }>;
  /** The newest last. */
  list(): Promise<readonly DrillOutcome[]>;
}

/** What came of a drill, for people, alerts and dashboards. */
export interface DrillOutcome {
  readonly ok: boolean;
  readonly startedAt: string;
  readonly seconds: number;
  /** What passed, in the order in which it was proved. */
  readonly proved: readonly DrillPart[];
  /** Write pauses on the clones, in ms: switchover and rollback. */
  readonly pauseMs: readonly number[];
  /** Why it failed. */
  readonly error?: string | undefined;
}
