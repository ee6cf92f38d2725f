import { blame, completeHolds, endOf } from './blame.ts';
import type { LoadOperation } from './load.ts';
import type { Measured, MeasuredFile } from './measure.ts';
import { stopsWrites, strength, strongest } from './modes.ts';
import type { Observations, ObservedHold } from './observed.ts';
import type { Blocked, LockHold, StatementReport, ReportTotals } from './report.ts';

export interface Raw {
  readonly statements: readonly Measured[];
  readonly files: readonly MeasuredFile[];
  readonly observed: Observations;
  readonly operations: readonly LoadOperation[];
  /** Names by OID of the tables that were there before. */
  readonly names: ReadonlyMap<string, string>;
  readonly startedAt: number;
  readonly appliedFrom: number;
  readonly appliedTo: number;
  /** WAL bytes that the load wrote in a span of time, by what it wrote before the migrations began. */
  readonly walOfLoad: (from: number, to: number) => number;
  readonly walBytes: number;
  readonly diskBytes: number;
  readonly rewrittenBytes: number | undefined;
}

export interface Assembled {
  readonly statements: StatementReport[];
  readonly locks: LockHold[];
  readonly blocked: Blocked[];
  readonly waited: { at: number; ms: number; behind: string }[];
  readonly totals: ReportTotals;
}

/** Blocked queries listed, the longest. */
const listed = 200;

/**
 * Joins what the session and the watcher saw. Pure. Locks on tables that the migrations make themselves are nobody's
 * concern and left out.
 */
export function assemble(raw: Raw): Assembled {
  const { startedAt, names } = raw;
  const holds = completeHolds(raw.observed.holds, raw.statements, raw.files).filter(({ table }) => names.has(table));
  const locksOf = (statement: Measured) => [
    ...statement.locks,
    ...holds.filter(({ from }) => from >= statement.at && from <= statement.at + statement.ms),
  ];
  const blocked = raw.observed.blocked.map((wait): Blocked & { statement?: number } => {
    const statement = blame(wait, raw.statements, locksOf, raw.files);
    const table = wait.table === null ? undefined : names.get(wait.table);
    return {
      at: wait.from - startedAt,
      ms: endOf(wait, raw.files) - wait.from,
      query: wait.query,
      application: wait.application,
      ...(table === undefined ? {} : { table }),
      ...(wait.mode && wait.table !== null ? { wants: wait.mode } : {}),
      ...(statement === undefined ? {} : { statement }),
    };
  });
  const statements = raw.statements.map((statement, index) =>
    describe(
      raw,
      statement,
      holds,
      locksOf(statement),
      blocked.filter((wait) => wait.statement === index),
    ),
  );
  const worst = holds.toSorted((a, b) => strength(b.mode) - strength(a.mode) || b.to - b.from - (a.to - a.from))[0];
  return {
    statements,
    locks: holds.map(({ table, mode, from, to }) => ({
      table: names.get(table) ?? table,
      mode,
      at: from - startedAt,
      ms: to - from,
    })),
    blocked: blocked.toSorted((a, b) => b.ms - a.ms).slice(0, listed),
    waited: raw.observed.waited.map(({ from, to, behind }) => ({ at: from - startedAt, ms: to - from, behind })),
    totals: {
      ms: raw.appliedTo - raw.appliedFrom,
      walBytes: Math.max(0, raw.walBytes - raw.walOfLoad(raw.appliedFrom, raw.appliedTo)),
      diskBytes: raw.diskBytes,
      rewrittenBytes:
        raw.rewrittenBytes ?? statements.flatMap(({ rewrites }) => rewrites).reduce((sum, { bytes }) => sum + bytes, 0),
      blockedQueries: blocked.length,
      longestBlockedMs: Math.max(0, ...blocked.map(({ ms }) => ms)),
      ...(worst
        ? {
            strongestLock: {
              mode: worst.mode,
              table: names.get(worst.table) ?? worst.table,
              heldMs: worst.to - worst.from,
            },
          }
        : {}),
    },
  };
}

function describe(
  raw: Raw,
  statement: Measured,
  holds: readonly ObservedHold[],
  locks: readonly { readonly table: string; readonly mode: ObservedHold['mode'] }[],
  blocked: readonly Blocked[],
): StatementReport {
  const { file, line, text, at, ms, error, rewrites, walBytes, diskBytes } = statement;
  const end = at + ms;
  const longest = blocked.toSorted((a, b) => b.ms - a.ms)[0];
  const overlap = (from: number, to: number): number => Math.max(0, Math.min(to, end) - Math.max(from, at));
  return {
    file,
    line,
    text,
    at: at - raw.startedAt,
    ms,
    ...(error === undefined ? {} : { error }),
    locks: [
      ...Map.groupBy(
        locks.filter(({ table }) => raw.names.has(table)),
        ({ table }) => table,
      ),
    ]
      .flatMap(([table, taken]) => {
        const mode = strongest(taken.map((lock) => lock.mode));
        if (!mode) return [];
        const held = holds.filter(
          (hold) => hold.table === table && hold.mode === mode && hold.from <= end + 1 && hold.to >= at,
        );
        return [
          { table: raw.names.get(table) ?? table, mode, heldMs: Math.max(0, ...held.map(({ from, to }) => to - from)) },
        ];
      })
      .sort((a, b) => strength(b.mode) - strength(a.mode)),
    rewrites,
    ...(walBytes === undefined ? {} : { walBytes: Math.max(0, walBytes - raw.walOfLoad(at, end)) }),
    ...(diskBytes === undefined ? {} : { diskBytes }),
    waitedMs: raw.observed.waited.reduce((sum, wait) => sum + overlap(wait.from, wait.to), 0),
    blocked: { count: blocked.length, longestMs: longest?.ms ?? 0, ...(longest ? { query: longest.query } : {}) },
    // Its own share of what waited longer: the rest is another statement's.
    latencyMs: raw.operations.reduce((most, one) => Math.max(most, overlap(one.at, one.at + one.ms)), 0),
  };
}

/** The longest time for which an apply worker could not have written to some table. */
export function applyStands(locks: readonly LockHold[]): {
  applyStandsMs: number;
  table?: string;
  mode?: LockHold['mode'];
} {
  const longest = locks.filter(({ mode }) => stopsWrites(mode)).toSorted((a, b) => b.ms - a.ms)[0];
  return longest ? { applyStandsMs: longest.ms, table: longest.table, mode: longest.mode } : { applyStandsMs: 0 };
}
