/** What a statement needs of the server to succeed, as a question to its catalogue. */
export interface StatementNeed {
  /** A boolean expression of SQL. */
  readonly holds: string;
  readonly values: readonly string[];
  /** Names that no statement before may have touched, for the answer to be that of the run. */
  readonly names?: readonly string[];
  /** Any of them, and not all together. */
  readonly apart?: boolean;
  /** That a name is free. */
  readonly free?: true;
  /** What is true where it does not hold, as PostgreSQL would say it. */
  readonly lacking: string;
  /** A superuser has the right that lacks. */
  readonly right?: true;
  /** Certain only where both colours are of one major: what servers know differs. */
  readonly ofMajor?: true;
}

/** As whom and where files run. */
export interface Running {
  /** Undefined where that is a superuser. */
  readonly as?: string | undefined;
  /** The schema in which is made what names none; undefined where that is not certain. */
  readonly place?: string | undefined;
  /** Of the server that they run on, where it is not the live colour's. */
  readonly major?: number | undefined;
}
