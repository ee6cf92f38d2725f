/** How a note's comment begins and ends in a line of its own: `-- …`, or a comment in one line between slash and star. */
export const noteOpens = String.raw`^[ \t]*(?:--|/\*)[ \t]*`;
export const noteCloses = String.raw`[ \t\r]*(?:\*/[ \t\r]*)?$`;

/** What a comment says, without the signs that make it one. */
export function saidIn(comment: string): string {
  return comment
    .replace(/^(?:--|\/\*)/, '')
    .replace(/\*\/$/, '')
    .trim();
}
