const bars = ' ▁▂▃▄▅▆▇█';

/** One column a value, the largest as high as a line; what is above nothing is seen. */
export function sparkline(values: readonly number[]): string {
  const top = Math.max(...values, 1e-9);
  return values.map((each) => bars[each === 0 ? 0 : Math.max(1, Math.round((each / top) * 8))] ?? ' ').join('');
}
