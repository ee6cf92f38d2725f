import { lsnDistance } from '../../model/lsn.ts';
import { describe } from '../../model/errors.ts';
import type { LockMode } from '../lint/locks.ts';
import type { StatementWatch } from '../engines/sql/watch.ts';
import type { RanStatement } from './report.ts';
import { readState, rewrites, type RelationRewrite, type DatabaseState } from './state.ts';

/** One statement as the session that ran it saw it. */
export interface Measured extends RanStatement {
  /** Locks on tables that it took and still held at its end, by OID. */
  readonly locks: readonly { readonly table: string; readonly mode: LockMode }[];
  readonly rewrites: readonly RelationRewrite[];
  /** Of all sessions. */
  readonly walBytes?: number;
  readonly diskBytes?: number;
}

/** A file's transaction, or the time that its statements took one by one. */
export interface MeasuredFile {
  readonly at: number;
  readonly end: number;
  readonly transactional: boolean;
}

export interface Measurements {
  readonly statements: Measured[];
  readonly files: MeasuredFile[];
}

/**
 * SET TRANSACTION must come before any query of its transaction, so after a SET nothing is read; it changes nothing
 * either.
 */
const setting = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*SET\b/i;

/**
 * Milliseconds from which on a COMMIT is listed like a statement: deferred constraints are checked there, and locks
 * held.
 */
const slowCommit = 50;

/**
 * Measures what the plain SQL engine runs, in its own session. Reading the state takes some ms between two statements,
 * while locks are held.
 */
export function measuring(into: Measurements): StatementWatch {
  let before: DatabaseState;
  let settled = 0;
  return {
    async file(client, file, work) {
      before = await readState(client);
      const at = Date.now();
      try {
        await work();
        const ms = Date.now() - settled;
        if (file.transactional && settled >= at && ms >= slowCommit)
          into.statements.push({
            file: file.path,
            line: into.statements.at(-1)?.line ?? 1,
            text: 'COMMIT',
            at: settled,
            ms,
            locks: [],
            rewrites: [],
          });
      } finally {
        into.files.push({ at, end: Date.now(), transactional: file.transactional });
      }
    },
    async statement(client, file, { text, line }, work) {
      const at = Date.now();
      const begun = performance.now();
      const named = { file: file.path, line, text, at };
      try {
        await work();
      } catch (error) {
        into.statements.push({
          ...named,
          ms: performance.now() - begun,
          error: describe((error as Error).cause ?? error),
          locks: [],
          rewrites: [],
        });
        throw error;
      }
      const ms = performance.now() - begun;
      const after = setting.test(text) ? before : await readState(client);
      const known = new Set(before.locks.map(({ table, mode }) => `${table} ${mode}`));
      into.statements.push({
        ...named,
        ms,
        locks: after.locks.filter(({ table, mode }) => !known.has(`${table} ${mode}`)),
        rewrites: await rewrites(client, before, after),
        walBytes: lsnDistance(before.lsn, after.lsn),
        diskBytes: after.bytes - before.bytes,
      });
      before = after;
      settled = Date.now();
    },
  };
}
