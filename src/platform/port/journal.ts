/** Compare-and-swap storage for one document. */
export interface JournalStore {
  /** Undefined where none was ever written. `where` names it for people. */
  read(): Promise<{ readonly revision: number; readonly text: string; readonly where: string } | undefined>;
  /** The revision just before the newest, where the store keeps it: for a newest one that is damaged. */
  before?(): Promise<{ readonly text: string; readonly where: string } | undefined>;
  /**
   * Durable when it returns. Throws `journal-conflict` (busy) where the stored revision is not `expected`; 0 means
   * none. `reserve`: this write lets clients go or takes something back, and may use what is put aside for a full disk.
   */
  write(expected: number, text: string, reserve?: boolean): Promise<number>;
}
