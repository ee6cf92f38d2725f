/** The first ten, and how many there are beyond. */
export function describeMany(items: readonly string[]): string {
  return items.length <= 10 ? items.join('; ') : `${items.slice(0, 10).join('; ')}; and ${items.length - 10} more`;
}
