/** A statement as it fits into a sentence. */
export function shortStatement(statement: string, most = 60): string {
  const line = statement.replaceAll(/\s+/g, ' ').trim();
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
}
