/** A value of libpq's connection string: a path or a name may have blanks and quotes in it. */
export function quoteConninfo(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
