import type { Table } from '../../postgres/catalogue.ts';
import type { RowWrites } from '../../postgres/row-writes.ts';
import type { FromFile } from './statement.ts';
import type { StatementPlace } from './note.ts';

/** What is reported of a statement that has run, or was tried: what it wrote that both colours have, and where. */
export interface DataReport extends FromFile {
  readonly place: StatementPlace;
  readonly writes: readonly RowWrites[];
}

/** What an engine that reads its files asks of whoever migrates a candidate, about statements that write rows. */
export interface DataPolicy {
  /** The live colour's tables, as they are now. */
  readonly live: readonly Table[];
  /** Triggers that fire for nobody there, as `silentTriggers` names them. */
  readonly silent: readonly string[];
  /** Milliseconds that all that is held back may take in the write pause, and that what a note puts there may take. */
  readonly limits: { readonly held: number; readonly asked: number };
  /**
   * Runs a statement on the live colour, as `owner` where there is one, once however often it is called, and returns
   * when the candidate has what it wrote.
   */
  readonly onLive: (statement: FromFile, owner: string | undefined) => Promise<void>;
  /** A note had it run on the candidate, and it wrote rows that both colours have. */
  readonly onCandidate: (report: DataReport) => Promise<void>;
}
