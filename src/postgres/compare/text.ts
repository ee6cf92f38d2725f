/**
 * SQL for a value's text, NULL for NULL. A type of PostgreSQL's own is cast, since nobody else can make casts of it; of
 * every other one the output function is called, since a cast to text may be its owner's code.
 */
export function textOf(value: string, builtIn: boolean): string {
  // `IS NULL` would take a composite value of nothing but NULLs for none.
  return builtIn ? `(${value})::text` : `CASE WHEN num_nulls(${value}) = 0 THEN format('%s', ${value}) END`;
}

/** By the name that readFacts gives a type. */
export function isBuiltIn(base: string): boolean {
  return !base.includes('.');
}
