/** State of a session that cannot be made again on another server. */
export type Pin =
  'temporary table' | 'cursor with hold' | 'advisory lock' | 'set_config' | 'unread statement' | 'replication';

const hint = /temp|hold|advisory_lock|set_config/i;
const temporary =
  /\bcreate\s+(?:or\s+replace\s+)?(?:(?:local|global)\s+)?(?:temp|temporary)\b|\binto\s+(?:(?:local|global)\s+)?(?:temp|temporary)\b|\bcreate\b[^;]*\bpg_temp\s*\./i;
const droppedAtCommit = /\bcreate\s+(?:(?:local|global)\s+)?temp(?:orary)?\b[^;]*?\bon\s+commit\s+drop\b/gi;
const holdable = /\bwith\s+hold\b/i;
const advisory = /\bpg_(?:try_)?advisory_lock(?:_shared)?\s*\(/i;

/**
 * Which pins a text may set when it succeeds. Looks at words, not at grammar, and so errs to the safe side: a word in a
 * comment pins a session that need not be. What a function does inside cannot be seen.
 */
export function pinsOf(sql: string): Pin[] {
  if (!hint.test(sql)) return [];
  const pins: Pin[] = [];
  if (temporary.test(sql.replaceAll(droppedAtCommit, ' '))) pins.push('temporary table');
  if (holdable.test(sql)) pins.push('cursor with hold');
  if (advisory.test(sql)) pins.push('advisory lock');
  if (setsForSession(sql)) pins.push('set_config');
  return pins;
}

/** True unless the last argument of every set_config call is literally true: a parameter or an expression might be false. */
function setsForSession(sql: string): boolean {
  for (const call of sql.matchAll(/\bset_config\s*\(/gi)) {
    let depth = 1;
    let last = call.index + call[0].length;
    let at = last;
    for (let quoted = false; at < sql.length && depth > 0; at++) {
      const next = sql[at];
      if (next === "'") quoted = !quoted;
      else if (quoted) continue;
      else if (next === '(') depth++;
      else if (next === ')') depth--;
      else if (next === ',' && depth === 1) last = at + 1;
    }
    if (
      !/^\s*(?:is_local\s*(?:=>|:=)\s*)?(?:true|'t(?:rue)?')\s*(?:::\s*bool(?:ean)?\s*)?$/i.test(
        sql.slice(last, at - 1),
      )
    )
      return true;
  }
  return false;
}
