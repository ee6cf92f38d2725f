import type { Lsn } from '../../model/lsn.ts';
import type { Table } from '../catalogue.ts';
import type { ConnectionSettings } from '../connection.ts';

/** One table as it is on both sides, and the columns that both have, by name. */
export interface TableMapping {
  readonly live: Table;
  readonly candidate: Table;
  readonly columns: readonly string[];
}

export interface CompareOptions {
  readonly live: ConnectionSettings;
  /** To the live side, as a role that may lock rows; as `live` unless said. */
  readonly locker?: ConnectionSettings;
  readonly candidate: ConnectionSettings;
  readonly tables: readonly TableMapping[];
  /** Connections per side; 2 unless said. One more on the live side opens only where rows never stand still. */
  readonly connections?: number;
  /** Bytes of table data, TOAST included, that one chunk aims at; 16 MiB unless said. */
  readonly chunkBytes?: number;
  /** Milliseconds after which no new chunk is started. Settling what was found by then is not cut short. */
  readonly budgetMs?: number;
  /** Share of each table's chunks to read, 0 to 1, at least one chunk a table. */
  readonly sample?: number;
  /** Chooses the sampled chunks: the same seed takes the same ones while the table stays as it is. */
  readonly seed?: number;
  /** Milliseconds that one statement may take; ten minutes unless said, or what the largest table takes at 5 MB/s. */
  readonly statementTimeoutMs?: number;
  /**
   * Resolves once the candidate has applied everything that the live server wrote before `lsn`, which is an insert
   * position: on an idle server it may lie ahead of anything ever flushed, so an implementation must write something of
   * its own (a marker).
   */
  passed(lsn: Lsn): Promise<void>;
  readonly onProgress?: (progress: CompareProgress) => void;
  readonly signal?: AbortSignal;
}

/** Totals over all tables so far. */
export interface CompareProgress {
  /** The table whose chunk has just been read. */
  readonly table: string;
  readonly rows: number;
  readonly bytes: number;
  readonly totalBytes: number;
}

export type DifferenceKind = 'missing on candidate' | 'extra on candidate' | 'different';

/** Column names to values as text; for a table without a key, `row hash` to the hash of the whole row. */
export type KeyValues = Readonly<Record<string, string>>;

export interface Example {
  readonly key: KeyValues;
  /** Only for `different`: the columns that differ. Values are never read out, they may be personal. */
  readonly columns: readonly string[];
}

export interface Difference {
  readonly kind: DifferenceKind;
  readonly count: number;
  /** Lowest and highest key that was examined and differs, in the order of the chunks. */
  readonly first: KeyValues;
  readonly last: KeyValues;
  /** At most five. */
  readonly examples: readonly Example[];
}

export interface TableComparison {
  readonly table: string;
  /** What identifies a row; `[]` where the whole row does. */
  readonly key: readonly string[];
  /**
   * `whole`: one statement a side. `ranges`: chunks of the key's order by its index. `buckets`: one pass, grouped by
   * the key's hash.
   */
  readonly method: 'whole' | 'ranges' | 'buckets';
  /** Rows in the chunks that were read. */
  readonly rowsLive: number;
  readonly rowsCandidate: number;
  /** Of the live table with TOAST, without indexes; the checked chunks' share of it. */
  readonly bytes: number;
  readonly chunks: number;
  readonly checkedChunks: number;
  /** Time that connections spent on this table; more than the wall clock where several did at once. */
  readonly seconds: number;
  readonly differences: readonly Difference[];
  /**
   * Chunks whose digests differ and whose rows were not looked at, because the table had shown too many differences
   * already.
   */
  readonly unexaminedChunks: number;
  /** Rows proven equal or different only while they were locked on the live side. */
  readonly settledByLock: number;
  /** Rows that moved in every round and could not be locked in time: neither proven equal nor different. */
  readonly unsettled: number;
}

export interface DataComparison {
  readonly mode: 'complete' | 'sampled' | 'budget exhausted';
  /** No difference and nothing unsettled in what was read: together with `mode: 'complete'`, the proof. */
  readonly equal: boolean;
  readonly tables: readonly TableComparison[];
  readonly rowsLive: number;
  readonly rowsCandidate: number;
  readonly bytes: number;
  readonly totalBytes: number;
  readonly chunks: number;
  readonly checkedChunks: number;
  readonly differences: number;
  readonly settledByLock: number;
  readonly unsettled: number;
  readonly seconds: number;
  /** Millions of bytes of live table data a second; the same data on the candidate is not counted again. */
  readonly megabytesPerSecond: number;
  /** One sentence for each table that was not read whole; empty in mode `complete`. */
  readonly unchecked: readonly string[];
}

export type CompareSide = 'live' | 'candidate';
