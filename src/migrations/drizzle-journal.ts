/** A file that Drizzle has in its journal, `meta/_journal.json` beside the files: what it runs, in this order. */
export interface DrizzleEntry {
  /** The file's name without `.sql`. */
  readonly tag: string;
  /** Milliseconds since 1970. */
  readonly when: number;
}

/** Undefined for a text that is no journal. */
export function readDrizzleJournal(text: string): readonly DrizzleEntry[] | undefined {
  try {
    const { entries } = JSON.parse(text) as { readonly entries?: unknown };
    return Array.isArray(entries) && entries.every(isEntry) ? entries : undefined;
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is DrizzleEntry {
  const { tag, when } = (value ?? {}) as Partial<Record<string, unknown>>;
  return typeof tag === 'string' && typeof when === 'number';
}
