import { ident } from './quote.ts';

/**
 * SQL for a column's value as its type's output function writes it, which its input function reads back exactly; NULL
 * for NULL. A cast to text would run casts that users have made, and take the blanks of bpchar away. `IS NULL` asks a
 * composite value for its fields.
 */
export function columnText(relation: string, column: string): string {
  const value = ident(relation, column);
  return `CASE WHEN num_nulls(${value}) = 0 THEN format('%s', ${value}) END`;
}
