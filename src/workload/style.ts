/** How a writer speaks to the database: applications differ, and a switchover must suit them all. */
export interface Style {
  /** BEGIN, statements, COMMIT; else one statement that commits by itself. */
  readonly explicit: boolean;
  /** Named prepared statements, which live and die with the connection. */
  readonly prepared: boolean;
  /** A connection from a pool that also keeps idle ones, in place of one of its own. */
  readonly pooled: boolean;
  /** Statements between BEGIN and COMMIT, 2 to 4. */
  readonly statements: 2 | 3 | 4;
  /** Calls the sample's order functions in the transaction. */
  readonly business: boolean;
}

/** Writers count from 1; eight of them have every mix of explicit, prepared and pooled. */
export function styleOf(writer: number, business: boolean): Style {
  const bits = writer - 1;
  const explicit = (bits & 1) === 1;
  return {
    explicit,
    prepared: (bits & 2) === 2,
    pooled: (bits & 4) === 4,
    statements: ([2, 3, 4] as const)[writer % 3] ?? 2,
    business: business && explicit,
  };
}

/** For the `kind` column: `explicit3-prepared-pooled`. */
export function styleName(style: Style): string {
  return [
    style.explicit ? `explicit${style.statements}` : 'autocommit',
    ...(style.prepared ? ['prepared'] : []),
    ...(style.pooled ? ['pooled'] : []),
    ...(style.business ? ['business'] : []),
  ].join('-');
}
