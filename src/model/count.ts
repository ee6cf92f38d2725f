/** `1 table`, `3 tables`, `12,040 rows`; `plural` where it is not the noun and an s: `count(2, 'index', 'indexes')`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number.toLocaleString('en')} ${number === 1 ? noun : plural}`;
}
