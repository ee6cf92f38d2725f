import type { Client } from '../../../postgres/client.ts';
import type { MigrationTarget } from '../../engine.ts';
import type { SqlFile } from './file.ts';
import type { SqlStatement } from './parse.ts';

/**
 * Told by the runner around its work, so that a rehearsal can measure it in the session that does it, `client`. A
 * release has none. Obligation: run `work` exactly once, between the measuring, and throw on what it throws.
 */
export interface StatementWatch {
  /** Around one attempt at a file: its transaction, or all its statements where they run one by one. */
  file(client: Client, file: SqlFile, work: () => Promise<void>): Promise<void>;
  statement(client: Client, file: SqlFile, statement: SqlStatement, work: () => Promise<void>): Promise<void>;
}

/** A target that wants to know of each statement. Engines that have no statements of their own never call `watch`. */
export interface WatchedTarget extends MigrationTarget {
  readonly watch?: StatementWatch;
}

/** Where nobody measures. */
export const unwatched: StatementWatch = {
  file: (_client, _file, work) => work(),
  statement: (_client, _file, _statement, work) => work(),
};
