import type { ShapeVerdict } from '../../model/shape-changes.ts';
import type { LockMode } from './locks.ts';
import type { Range } from './range.ts';

export const severities = ['error', 'warning', 'info'] as const;
export type Severity = (typeof severities)[number];

export const categories = [
  'lock',
  'rewrite',
  'compatibility',
  'replication',
  'reversibility',
  'destructive',
  'safety',
] as const;
export type Category = (typeof categories)[number];

/**
 * Where a finding hurts: on the database that takes the writes, on the candidate that is being prepared, or on either.
 */
export type Where = 'live' | 'candidate' | 'both';

/** What the statement does with the rows that are there: it grows with the table's size. */
export type Work = 'none' | 'scan' | 'index' | 'rewrite';

/**
 * A place in a file. `byte` counts UTF-8 bytes from 0; `line` and `column` count from 1, columns in characters (code
 * points).
 */
export interface Position {
  readonly byte: number;
  readonly line: number;
  readonly column: number;
}

export interface LintLock {
  readonly mode: LockMode;
  /**
   * `schema.table`, as the statement names it; `public` where it names none. Absent where the text does not say which.
   */
  readonly table?: string;
  readonly blocks: string;
}

export interface TableSize {
  /** The table with its TOAST, and its indexes, in bytes. */
  readonly tableBytes: number;
  readonly indexBytes: number;
  /** The planner's estimate; -1 where the table was never analyzed. */
  readonly rows: number;
  /** How long the work takes, at the throughput that `grade.ts` states. */
  readonly seconds: number;
}

/** A change of the file's text that does what the finding asks for; bytes of the file. */
export interface Edit extends Range {
  readonly text: string;
  /** For a menu: what it does. */
  readonly does: string;
}

export interface LintFinding {
  /** Stable, kebab-case; docs/lint has a page of this name. */
  readonly rule: string;
  readonly title: string;
  /** The severity that counts: the rule's, after the configuration, the target and the table's size. */
  readonly severity: Severity;
  readonly category: Category;
  readonly where: Where;
  readonly path: string;
  readonly start: Position;
  readonly end: Position;
  /** The source line of `start`, for an excerpt with a caret. */
  readonly excerpt: string;
  readonly message: string;
  readonly why: string;
  /** SQL that does the same safely, derived from the statement; absent where there is no mechanical rewrite. */
  readonly fix?: string;
  /** A change of the file that does what the finding asks for. */
  readonly edit?: Edit;
  readonly lock?: LintLock;
  /** The table that the work is done on, as in `lock`. */
  readonly table?: string;
  /** What the live release loses or may no longer write, named as `migrate` names it; `contract` notes name it too. */
  readonly object?: string;
  /** What it does to a release, where that is less than the gravest that the rule finds. */
  readonly verdict?: ShapeVerdict;
  readonly work: Work;
  readonly rewrites: boolean;
  /** After this statement a rollback can lose rows, because reverse replication may stop or skip them. */
  readonly breaksRollback: boolean;
  /** Why the severity is not the rule's own: the target, or the table's size. */
  readonly graded?: string;
  /** Of the table, from the database at hand; absent where none was asked. */
  readonly size?: TableSize;
}

/** A finding that a comment allowed. Reported, never counted. */
export interface SuppressedFinding {
  readonly finding: LintFinding;
  readonly reason: string;
}

export interface LintReport {
  /** Files that were linted; those read for knowledge only are not counted. */
  readonly files: number;
  readonly statements: number;
  readonly target: 'live' | 'candidate';
  /** In the order of the files, then by position. */
  readonly findings: readonly LintFinding[];
  readonly suppressed: readonly SuppressedFinding[];
  /** Findings that a baseline accepts; absent without one. */
  readonly accepted?: number;
  /** Why it was judged so, and how to be stricter: said where nobody chose. */
  readonly judged?: string;
}

/** A migration, in the order in which it is applied. */
export interface LintInput {
  readonly path: string;
  /** Bytes where they come from a file, so that an encoding that is not UTF-8 is seen. */
  readonly text: string | Uint8Array;
  /**
   * True: applied everywhere already, so read for what it says about the schema, not linted. False: part of the release
   * at hand.
   */
  readonly applied?: boolean;
  /** The names that `ignore` is matched against; the path where it is absent. */
  readonly globPaths?: readonly string[];
}

/** The order of `severity`; `never` is above any. */
const weights: Readonly<Record<Severity | 'never', number>> = { info: 0, warning: 1, error: 2, never: 3 };

export function atLeast(severity: Severity, level: Severity | 'never'): boolean {
  return weights[severity] >= weights[level];
}

/** Whether the report has a finding at or above a level: the exit decision of the command line and of a pipeline. */
export function exceeds(report: LintReport, level: Severity | 'never'): boolean {
  return report.findings.some((finding) => atLeast(finding.severity, level));
}
