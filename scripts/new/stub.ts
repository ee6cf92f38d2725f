/** What one new thing consists of. Paths are from the project's root. */
export interface Stub {
  readonly files: Readonly<Record<string, string>>;
  /** Text put in front of the first place where `before` stands. */
  readonly lines: readonly { readonly file: string; readonly before: string; readonly text: string }[];
  /** What is left to its author. */
  readonly next: readonly string[];
}

/** What an author has yet to write. `test/docs/todo.test.ts` refuses it. */
export function todo(what: string): string {
  return `TODO: ${what}`;
}

/** `drop-column` as `dropColumn`. */
export function camel(name: string): string {
  return name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** `drop-column` as `Drop column`. */
export function sentence(name: string): string {
  const words = name.replaceAll('-', ' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}
