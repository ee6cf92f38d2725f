import type { Finding } from '../../model/finding.ts';
import type { LockMode } from '../lint/locks.ts';

/** All times in a report are milliseconds since `startedAt`, durations milliseconds, sizes bytes. */
export interface RehearsalReport {
  readonly environment: string;
  readonly release: { readonly from: string; readonly to: string };
  readonly startedAt: string;
  readonly seconds: number;
  readonly server: { readonly version: string; readonly databaseBytes: number };
  readonly engine: string | null;
  /** `statements`: in the session that ran them; `log`: from the clone's server log; `whole`: the run as one. */
  readonly measured: 'statements' | 'log' | 'whole';
  readonly migrations: readonly { readonly version: string; readonly name: string }[];
  readonly verdict: 'fits' | 'refused' | 'failed';
  readonly failure?: { readonly id: string; readonly seen: string; readonly file?: string; readonly line?: number };
  readonly findings: readonly RehearsalFinding[];
  readonly totals: ReportTotals;
  readonly statements: readonly StatementReport[];
  readonly locks: readonly LockHold[];
  readonly blocked: readonly Blocked[];
  /** How long the migration itself waited for its locks. */
  readonly waited: readonly { readonly at: number; readonly ms: number; readonly behind: string }[];
  readonly load: LoadReport;
  readonly replication: {
    readonly walBytes: number;
    readonly applyStandsMs: number;
    readonly table?: string;
    readonly mode?: LockMode;
  };
  readonly plans: PlansReport;
  readonly smoke?: SmokeReport;
  readonly limits: { readonly maxLock?: number; readonly pause: number; readonly lock: number; readonly lag: number };
}

export interface RehearsalFinding extends Finding {
  /** `live`: matters only where it runs on a database that serves clients; `both`: on a candidate too. */
  readonly where: 'live' | 'both';
}

export interface ReportTotals {
  readonly ms: number;
  readonly walBytes: number;
  readonly diskBytes: number;
  readonly rewrittenBytes: number;
  readonly blockedQueries: number;
  readonly longestBlockedMs: number;
  readonly strongestLock?: { readonly mode: LockMode; readonly table: string; readonly heldMs: number };
}

/** A statement that ran; times by this machine's clock. */
export interface RanStatement {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  readonly at: number;
  readonly ms: number;
  readonly error?: string;
}

export interface StatementReport extends RanStatement {
  readonly locks: readonly { readonly table: string; readonly mode: LockMode; readonly heldMs: number }[];
  readonly rewrites: readonly { readonly relation: string; readonly bytes: number }[];
  /**
   * Less what the workload wrote meanwhile, by its own measure; undefined where only the run as a whole was measured.
   */
  readonly walBytes?: number;
  /** Of the database, before what is superseded is dropped at COMMIT. */
  readonly diskBytes?: number;
  readonly waitedMs: number;
  /** Queries of the workload that waited for its locks, whenever they did. */
  readonly blocked: { readonly count: number; readonly longestMs: number; readonly query?: string };
  /** Worst latency that the workload saw while it ran. */
  readonly latencyMs: number;
}

/** A table lock of the migration, from grant to release. */
export interface LockHold {
  readonly table: string;
  readonly mode: LockMode;
  readonly at: number;
  readonly ms: number;
}

/** A query of the workload that waited behind the migration. */
export interface Blocked {
  readonly at: number;
  readonly ms: number;
  readonly query: string;
  readonly application: string;
  readonly table?: string;
  readonly wants?: LockMode;
  /** Index of the statement whose lock it was. */
  readonly statement?: number;
}

export interface LoadReport {
  readonly kind: 'pg_stat_statements' | 'synthetic' | 'command' | 'none';
  readonly detail: string;
  readonly clients: number;
  readonly operations: number;
  readonly before: Latency;
  readonly during: Latency;
  readonly errors: readonly {
    readonly message: string;
    readonly count: number;
    readonly query: string;
    readonly at: number;
  }[];
  readonly bucketMs: number;
  readonly buckets: readonly Bucket[];
}

export interface Latency {
  readonly perSecond: number;
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

export interface Bucket {
  readonly at: number;
  readonly operations: number;
  readonly errors: number;
  readonly max: number;
  readonly blocked: number;
}

export interface PlansReport {
  readonly compared: number;
  /** Why some or all were not compared. */
  readonly skipped?: string;
  readonly worse: readonly {
    readonly query: string;
    readonly calls: number;
    readonly before: number;
    readonly after: number;
    readonly nodesBefore: string;
    readonly nodesAfter: string;
  }[];
  /** Statements of the live release that the new schema refuses. */
  readonly broken: readonly { readonly query: string; readonly calls: number; readonly error: string }[];
}

export interface SmokeReport {
  readonly command: string;
  readonly exitCode: number | null;
  readonly ms: number;
  /** The last lines of its output. */
  readonly tail: string;
}
