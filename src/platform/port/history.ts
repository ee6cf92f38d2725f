import type { DeliveryRecord } from '../../model/delivery-record.ts';
import type { Act, Release, Span } from '../../model/journal.ts';

/** The releases that have ended, oldest first. */
export interface HistoryStore {
  /** Written once for a release, also where it is asked twice after a crash. */
  append(entry: HistoryEntry): Promise<void>;
  /** All that are kept. */
  list(): Promise<HistoryEntry[]>;
}

/** One finished release. */
export interface HistoryEntry {
  readonly from: string;
  readonly to: string;
  readonly outcome: 'released' | 'abandoned' | 'rolled back';
  readonly startedAt: string;
  readonly endedAt: string;
  readonly pauseMs?: number | undefined;
  /** Every run of the migrations, those that failed too, with the file that holds all that the engine said. */
  readonly migrations?: Release['migrations'];
  /** How it walked by itself, with its verdicts and who approved; of one that people walked nothing. */
  readonly delivery?: DeliveryRecord | undefined;
  /** Who began which verb, and why. */
  readonly acts?: readonly Act[] | undefined;
  /** Files that tell more: logs of tests, exported rows. */
  readonly reports?: readonly string[];
  readonly spans: readonly Span[];
}
