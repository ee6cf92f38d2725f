/** A value that nobody has checked yet, as an object: empty where it is none. */
export function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** As an array: empty where it is none. */
export function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
