import type { DeliveryRecord } from '../model/delivery-record.ts';
import type { Environment } from '../model/environment.ts';
import type { Journal } from '../model/journal.ts';
import type { Verb } from '../model/transitions.ts';
import type { Metrics } from './tallies.ts';
import type { Digests } from './target.ts';

/**
 * What a controller does now. Computed of the journal, the declaration and the clock alone, so that another one
 * computes the same.
 */
export type Decision =
  /** Nothing is under way, and nothing is to be begun. */
  | { readonly do: 'rest'; readonly why: string }
  /** `person`: only somebody's act changes that; else `until` comes. */
  | {
      readonly do: 'wait';
      readonly why: string;
      readonly until?: number;
      readonly person: boolean;
      /** An approval is waited for. */
      readonly approval?: true;
    }
  /** `limit`: in ms from now, and why it is undone where it has not come to its commit point by then. */
  | {
      readonly do: 'verb';
      readonly verb: Verb;
      readonly weight?: number;
      readonly limit?: { readonly ms: number; readonly why: string };
    }
  /**
   * A verb is open in the journal: another controller is at it, or it was cut short, and then the lease's taker settles
   * it.
   */
  | { readonly do: 'settle' }
  /** Take the readers back from the candidate. */
  | { readonly do: 'withdraw' }
  | { readonly do: 'measure'; readonly names: readonly string[] }
  | { readonly do: 'write'; readonly record: DeliveryRecord; readonly note: string };

export interface Known {
  readonly environment: Environment;
  readonly journal: Journal;
  readonly digests: Digests;
  /** Of the step that is under way. */
  readonly metrics: Metrics;
  readonly now: number;
}

export type Passed = (note: string) => Decision;
export type Failed = (why: string) => Decision;

export function wait({ now }: Known, why: string, until: number): Decision {
  return { do: 'wait', why, until: Math.max(until, now + 1), person: false };
}

export function forPerson(why: string): Decision {
  return { do: 'wait', why, person: true };
}

export function write(record: DeliveryRecord, note: string): Decision {
  return { do: 'write', record, note };
}

export function iso(at: number): string {
  return new Date(at).toISOString();
}
