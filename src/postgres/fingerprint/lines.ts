/**
 * Beyond this many cells of the table the middle is shown as removed and added whole: a long function is no reason to
 * wait.
 */
const tableLimit = 250_000;

/** The lines that differ, `- old` and `+ new` in their order, by the longest common subsequence. */
export function lineDiff(before: string, after: string): string[] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  while (old.length > 0 && now.length > 0 && old[0] === now[0]) {
    old.shift();
    now.shift();
  }
  while (old.length > 0 && now.length > 0 && old.at(-1) === now.at(-1)) {
    old.pop();
    now.pop();
  }
  if (old.length * now.length > tableLimit)
    return [...old.map((line) => `- ${line}`), ...now.map((line) => `+ ${line}`)];
  return walk(old, now, common(old, now));
}

/** common[i][j]: length of the longest common subsequence of old from i and now from j. */
function common(old: readonly string[], now: readonly string[]): number[][] {
  const table = Array.from({ length: old.length + 1 }, () => Array.from({ length: now.length + 1 }, () => 0));
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--) {
      (table[i] as number[])[j] =
        old[i] === now[j] ? at(table, i + 1, j + 1) + 1 : Math.max(at(table, i + 1, j), at(table, i, j + 1));
    }
  }
  return table;
}

function walk(old: readonly string[], now: readonly string[], table: readonly (readonly number[])[]): string[] {
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      i++;
      j++;
    } else if (j >= now.length || (i < old.length && at(table, i + 1, j) >= at(table, i, j + 1))) {
      lines.push(`- ${old[i++]}`);
    } else {
      lines.push(`+ ${now[j++]}`);
    }
  }
  return lines;
}

function at(table: readonly (readonly number[])[], i: number, j: number): number {
  return table[i]?.[j] ?? 0;
}
