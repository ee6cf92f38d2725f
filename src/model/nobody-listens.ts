const codes: readonly unknown[] = ['ECONNREFUSED', 'ENOENT'];

/** Whether a connection failed because nobody listens there: any other failure says nothing about who is served. */
export function nobodyListens(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, cause, errors = [] } = error as { code?: unknown; cause?: unknown; errors?: unknown[] };
  return codes.includes(code) || nobodyListens(cause) || (errors.length > 0 && errors.every(nobodyListens));
}
