/**
 * Controls of terminals (C0 but tab and line feed, DEL, C1), what changes the order in which text is shown or breaks
 * lines unseen, and what has no width, so that two names look alike.
 */
const controls =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** Escapes of our own that colour text: SGR, but for the one that conceals. */
const colour = /(\u001b\[(?!8m)\d{1,2}m)/;

/** Where a value stands behind its label: further lines of it stand there too, and cannot pass for a label. */
export const valueColumn = 13;

/** Text from outside, for a terminal: what would command it is shown as `\u001b`. Line feeds stay. */
export function harmless(text: string): string {
  return text.replace(controls, (character) =>
    Array.from({ length: character.length }, (_, at) => unit(character.charCodeAt(at))).join(''),
  );
}

function unit(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`;
}

/** A name or title: one line whatever is in it, so that it cannot pass for a line of ours. */
export function oneLine(text: string): string {
  return harmless(text).replaceAll('\n', '\\n');
}

/** As `harmless`, for text that was coloured already. */
export function harmlessButColours(text: string): string {
  return text
    .split(colour)
    .map((part, place) => (place % 2 === 1 ? part : harmless(part)))
    .join('');
}

/** Further lines of a text stand at this column, also where nothing is wrapped. */
export function hanging(text: string, column: number): string {
  return text.replaceAll('\n', `\n${' '.repeat(column)}`);
}

/** Statements that are ready to run: who shows them puts their lines where they belong. */
const statements = new Set(['fix']);

/**
 * A result for people, before text is made of it: no string in it colours anything, or begins a line that passes for
 * one of ours.
 */
export function harmlessData<T>(value: T, key = ''): T {
  if (typeof value === 'string')
    return (statements.has(key) ? harmless(value) : hanging(harmless(value), valueColumn)) as T;
  if (Array.isArray(value)) return value.map((each: unknown) => harmlessData(each, key)) as T;
  if (value === null || typeof value !== 'object') return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, harmlessData<unknown>(each, name)]),
  ) as T;
}
