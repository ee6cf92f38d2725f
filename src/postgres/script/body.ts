/**
 * Follows the words of a statement to know whether they are inside a routine's BEGIN ATOMIC … END, where semicolons
 * separate.
 */
export interface BodyTracker {
  word(word: string, parentheses: number): void;
  inside(): boolean;
}

/**
 * The rule of psql: after CREATE [OR REPLACE] FUNCTION or PROCEDURE, BEGIN goes in and END comes out; CASE has an END
 * as well, and counts only inside.
 */
export function startTracker(): BodyTracker {
  const first: string[] = [];
  let depth = 0;
  let routine = false;
  return {
    inside: () => depth > 0,
    word: (word, parentheses) => {
      if (first.length < 4) {
        first.push(word.toLowerCase());
        routine = createsRoutine(first);
      }
      if (parentheses > 0 || !routine) return;
      const lower = word.toLowerCase();
      if (lower === 'begin') depth += 1;
      else if (lower === 'case' && depth > 0) depth += 1;
      else if (lower === 'end' && depth > 0) depth -= 1;
    },
  };
}

function createsRoutine([create, second, third, fourth]: readonly string[]): boolean {
  if (create !== 'create') return false;
  const object = second === 'or' && third === 'replace' ? fourth : second;
  return object === 'function' || object === 'procedure';
}
