import type { Colour } from '../../model/colours.ts';
import type { Finding } from '../../model/finding.ts';
import type { Journal } from '../../model/journal.ts';
import type { Verb } from '../../model/transitions.ts';
import type { Context } from './context.ts';

/** One piece of work that is safe to run twice. Ids are stable: they are in journals, events and docs. */
export interface Step {
  readonly id: string;
  readonly title: string;
  readonly why: string;
  /** What it may do to clients or data, and what bounds that. */
  readonly risk: string;
  /** Runs while clients are held: announced in the journal together with its neighbours that do too. */
  readonly held?: true;
  /**
   * Milliseconds behind the commit point after which `run` is given up and repeated; left out: see `forward` in
   * engine.ts.
   */
  readonly limit?: (c: Context) => number;
  /**
   * What it made costs the live server for as long as it is there: undone before all others, whatever of them cannot be
   * undone.
   */
  readonly frees?: true;
  /** Returns a detail for people: the figure that matters. */
  run(c: Context): Promise<string | void>;
  /** Undoes `run`, also where it was cut short or never began. */
  undo?(c: Context): Promise<void>;
}

/**
 * What a verb does; where it may begin and which state it ends in are rows of `transitions`. `start` is everything up
 * to the commit point, which is one write of the journal; `complete` is what follows. Failure in `start` undoes its
 * steps in reverse; failure in `complete` is only ever repeated.
 */
export interface Operation {
  readonly verb: Verb;
  readonly kind?: 'lossless' | 'lossy';
  /** Where one verb has two operations on the same edge. */
  readonly way?: 'logical' | 'standby' | 'prepared';
  /** Makes ready what the gates look at. Harmless in any state, run again after a crash, and not part of a dry run. */
  readonly ready?: (c: Context) => Promise<void>;
  /** Read-only. A finding graded `refuse` stops the operation before anything happened. */
  validate(c: Context): Promise<Finding[]>;
  readonly start: readonly Step[];
  /**
   * Asked before `start` is undone: whether that is impossible, because the live colour cannot be started any more, and
   * needless, because the other one holds all that it acknowledged. Makes ready what the commit point still needs; then
   * it goes forward.
   */
  stranded?(c: Context): Promise<boolean>;
  /** The error as it was, or with what caused it. Reads only. */
  causeOf?(c: Context, error: unknown): Promise<unknown>;
  /** What the commit point writes beside the new state. */
  commit?(journal: Journal, c: Context): Journal;
  readonly complete: readonly Step[];
  /** Colours whose connections stay open through `start` and `complete`. */
  readonly keep?: (c: Context) => readonly Colour[];
  /** From the beginning of the step `from`, `start` has so many milliseconds to reach the commit point. */
  readonly limit?: { readonly from: string; readonly ms: (c: Context) => number };
  /** The longest that clients may wait, for plans, in milliseconds; 0 where they never do. */
  readonly clientsWait: (limits: Context['environment']['limits']) => number;
}
