import type { Counted } from './verdict.ts';

/** Counts everything, keeps the first five. */
export function lister(): { add(example: string): void; listed(): Counted } {
  const examples: string[] = [];
  let count = 0;
  return {
    add: (example) => {
      count += 1;
      if (examples.length < 5) examples.push(example);
    },
    listed: () => ({ count, examples }),
  };
}
