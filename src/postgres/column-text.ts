import { textOf } from './compare/text.ts';
import { ident } from './quote.ts';

/**
 * SQL for a column's value as its type's output function writes it, which its input function reads back exactly; NULL
 * for NULL. A cast to text would run casts that users have made, and take the blanks of bpchar away.
 */
export function columnText(relation: string, column: string): string {
  return textOf(ident(relation, column), false);
}
