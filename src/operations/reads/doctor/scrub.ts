/** Where secrets are in text, whoever wrote it; the first group of each stays. */
const patterns: readonly (readonly [RegExp, string])[] = [
  // postgresql://user:password@host
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@'"]*:)[^\s@'"]+(?=@)/gi, '$1[removed]'],
  // PASSWORD '…', of ALTER ROLE
  [/(\bpassword\s+)(?:e|u&)?'(?:[^']|'')*'?/gi, "$1'[removed]'"],
  // password=…, "password": "…", PGPASSWORD=…, --token=…
  [/(\w*(?:password|passwd|secret|token|api_?key)\w*["']?\s*[=:]\s*)(["'])(?:(?!\2).)*\2/gi, '$1$2[removed]$2'],
  [/(\w*(?:password|passwd|secret|token|api_?key)\w*\s*[=:]\s*)(?!\d+\b)[^\s,;&"'}]+/gi, '$1[removed]'],
  // Verifiers
  [/SCRAM-SHA-256\$[^\s"']+/g, '[removed]'],
  [/\bmd5[0-9a-f]{32}\b/g, '[removed]'],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, '[removed]'],
];

/**
 * What a server's log quotes of clients: statements with their literals, values of rows. Lines that follow begin with a
 * tab.
 */
const quotations: readonly (readonly [RegExp, string])[] = [
  [/^(.*\b(?:STATEMENT|QUERY|CONTEXT):  ).*(?:\n\t.*)*/gm, '$1[removed]'],
  [/^(.*\bLOG:  (?:duration: [\d.]+ ms  )?(?:statement|parse|bind|execute)\b).*(?:\n\t.*)*/gm, '$1 [removed]'],
  [/^(.*\bDETAIL:  (?:Failing row contains |parameters: |Parameters: )).*(?:\n\t.*)*/gm, '$1[removed]'],
  [/(\bKey \([^\n]*?\)=\()[^\n]*(\))/g, '$1…$2'],
];

/**
 * Text without what nobody else may see. `known` are secrets by their value: they go wherever and in whatever words
 * they stand. What a pattern finds besides may be harmless; it goes all the same.
 */
export function scrub(text: string, known: readonly string[]): string {
  const without = [...known]
    .toSorted((one, next) => next.length - one.length)
    .reduce((rest, secret) => rest.replaceAll(secret, '[removed]'), text);
  return patterns.reduce((rest, [pattern, by]) => rest.replace(pattern, by), without);
}

/** As `scrub`, for the log of a server. */
export function scrubLog(text: string, known: readonly string[]): string {
  return quotations.reduce((rest, [pattern, by]) => rest.replace(pattern, by), scrub(text, known));
}
