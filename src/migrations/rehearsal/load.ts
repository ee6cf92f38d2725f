import type { LoadReport } from './report.ts';

/** One statement of the workload; `at` in ms since the epoch. */
export interface LoadOperation {
  readonly at: number;
  readonly ms: number;
  readonly text: string;
  readonly error?: string;
}

/** Something that uses the clone while the migrations run. */
export interface Load {
  readonly kind: LoadReport['kind'];
  readonly detail: string;
  readonly clients: number;
  /** What was done so far; undefined where it cannot be seen, as with the project's own command. */
  readonly operations: readonly LoadOperation[] | undefined;
  /** Ends it, and waits for what is under way. Safe to call twice. */
  stop(): Promise<void>;
  /** Set when it ended by itself: rehearsed from then on without a load. */
  readonly endedEarly: string | undefined;
}

export const noLoad = (detail: string): Load => ({
  kind: 'none',
  detail,
  clients: 0,
  operations: [],
  endedEarly: undefined,
  stop: () => Promise.resolve(),
});
