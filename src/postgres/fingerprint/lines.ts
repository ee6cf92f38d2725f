import { diffArrays } from 'diff';

/** Beyond this many differences all is shown as removed and added: a long function is no reason to wait. */
const mostDifferences = 1_000;

/** The lines that differ, `- old` and `+ new` in their order. */
export function lineDiff(before: string, after: string): string[] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const parts = diffArrays(old, now, { maxEditLength: mostDifferences });
  if (!parts) return [...old.map((line) => `- ${line}`), ...now.map((line) => `+ ${line}`)];
  return parts.flatMap(({ added, removed, value }) =>
    added || removed ? value.map((line) => `${added ? '+' : '-'} ${line}`) : [],
  );
}
