/** What may follow a relation that has no alias. */
const noAlias = /^(\s*[,;)]|\s*$|\s+(WHERE|JOIN|LEFT|CROSS|INNER|ON|GROUP|ORDER|LIMIT|UNION|FOR)\b)/;

/**
 * A statement that reads something else in place of some relations, under their own names. One that is named with its
 * schema is left as it is, for a subquery has no system columns; unless `also` says that nobody asks for those.
 */
export function readRelations(
  sql: string,
  names: readonly string[],
  read: (name: string) => string,
  also = false,
): string {
  if (names.length === 0) return sql;
  return sql.replace(
    new RegExp(`\\b(FROM|JOIN)(\\s+)${also ? '(?:pg_catalog\\.)?' : ''}(${names.join('|')})\\b`, 'g'),
    (whole: string, word: string, space: string, name: string, at: number) => {
      const rest = sql.slice(at + whole.length);
      return `${word}${space}${read(name)}${noAlias.test(rest) ? ` AS ${name}` : ''}`;
    },
  );
}
