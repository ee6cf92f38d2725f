/** Each on a line of its own, set in: the list that a sentence ends with. Nothing of none. */
export function indented(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}\n`).join('');
}
