/** What one transaction of the file has done so far. It starts again at each BEGIN and each COMMIT. */
export class Transaction {
  /** Statements share a transaction: the engine's around the file, or one that the file opens. */
  open: boolean;
  /** Opened by the file itself. */
  explicit = false;
  /** Existing tables under ACCESS EXCLUSIVE, in the order in which they were locked. */
  readonly exclusive = new Set<string>();
  /** Constraints added NOT VALID, as `schema.table.constraint`. */
  readonly notValid = new Set<string>();
  /** Values that enums got, with the enum as `schema.type`. */
  readonly enumValues = new Map<string, string>();
  /** Existing tables of which many rows were written. */
  readonly written = new Set<string>();

  constructor(open: boolean) {
    this.open = open;
  }

  begin(): void {
    this.#clear();
    this.open = true;
    this.explicit = true;
  }

  end(): void {
    this.#clear();
    this.open = false;
    this.explicit = false;
  }

  #clear(): void {
    this.exclusive.clear();
    this.notValid.clear();
    this.enumValues.clear();
    this.written.clear();
  }
}
