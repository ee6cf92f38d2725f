/** Quotes an identifier for SQL text: the one place where that is done. Values are bound, never quoted. */
export function ident(...parts: readonly string[]): string {
  return parts.map((part) => `"${part.replaceAll('"', '""')}"`).join('.');
}

/** Quotes a literal, for the utility statements that take no bound values (CREATE SUBSCRIPTION, ALTER ROLE). */
export function literal(value: string): string {
  const quoted = `'${value.replaceAll("'", "''")}'`;
  return value.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}
