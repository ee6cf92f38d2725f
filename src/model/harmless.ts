/**
 * Controls of terminals (C0 but tab and line feed, DEL, C1), and what changes the order in which text is shown or
 * breaks lines unseen.
 */
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Escapes of our own that colour text: SGR, but for the one that conceals. */
const colour = /(\u001b\[(?!8m)\d{1,2}m)/;

/** Text from outside, for a terminal: what would command it is shown as `\u001b`. Line feeds stay. */
export function harmless(text: string): string {
  return text.replace(controls, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
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
