import type { Verb } from '../../src/model/transitions.ts';
import type { Event } from '../../src/model/events.ts';
import type { PerformOptions } from '../../src/operations/table.ts';

/** Where an operator in a process of its own finds the environment. */
export type Place =
  | { readonly kind: 'local'; readonly home: string; readonly settings: Record<string, string> }
  | { readonly kind: 'kubernetes'; readonly kubeconfig: string };

/** What a killed operator is told. */
export interface Order {
  /** File with the declaration. */
  readonly declaration: string;
  readonly place: Place;
  readonly verb: Verb;
  readonly options: PerformOptions;
  readonly canary: number;
  /**
   * Dies just before or just after the n-th write, counted from the one that opens the operation or from the first of
   * the process.
   */
  readonly kill?: { readonly side: 'before' | 'after'; readonly write: number; readonly from: 'opening' | 'first' };
  /** Dies when this step has been done, before the journal knows. */
  readonly dieAfter?: string;
  /** Dies when this step begins: announced, and nothing of it done. */
  readonly dieBefore?: string;
  /** Dies right before or right after the router is told which sessions to ask. */
  readonly dieTelling?: 'before' | 'after';
  /** Stops itself (SIGSTOP) there. */
  readonly stopAt?: { readonly step: string; readonly status: 'started' | 'done' };
}

export type Said =
  | { readonly type: 'warm' }
  | { readonly type: 'event'; readonly event: Event }
  | { readonly type: 'done' }
  | { readonly type: 'failed'; readonly error: { readonly code: string; readonly id: string; readonly seen: string } };
