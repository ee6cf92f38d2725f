import type { FileSetting } from './file-settings.ts';
import type { ValueSettings } from './settings.ts';
import type { RowWrites } from '../../postgres/row-writes.ts';

/** A statement of a migration that writes rows, by where it is from. */
export interface FromFile {
  readonly version: string;
  /** Counted from 0 in its file. */
  readonly position: number;
  readonly file: string;
  readonly line: number;
  readonly text: string;
  /** What its file sets before it, in order. */
  readonly sets?: readonly FileSetting[];
}

/** One that is held back until the switchover, as the candidate's verdigris.data_statement keeps it. */
export interface HeldStatement extends FromFile {
  readonly tables: readonly string[];
  /** By a note: then the clients' wait is the author's decision. */
  readonly asked: boolean;
  /** What names in it were found by, and as whom it ran. */
  readonly path: string;
  readonly role: string;
  /** What the file had set until then. */
  readonly settings: ValueSettings;
}

export interface Ran {
  readonly held: HeldStatement;
  readonly writes: readonly RowWrites[];
  readonly ms: number;
}
