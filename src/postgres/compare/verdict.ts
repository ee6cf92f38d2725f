import type { Lsn } from '../../model/lsn.ts';
import type { Client } from '../client.ts';
import type { KeyState } from './states.ts';

/** What is known of one key in the end. */
export type KeyVerdict =
  | { readonly is: 'equal' }
  | { readonly is: 'different'; readonly live: KeyState; readonly candidate: KeyState }
  /** Neither: it moved in every round, and under no lock that could be had in time. */
  | { readonly is: 'unsettled' };

export interface Barrier {
  passed(lsn: Lsn): Promise<void>;
  readonly signal: AbortSignal;
  /** A session on the live side that may lock rows; opened where it is needed first. */
  locker(): Promise<Client>;
}
