import { setsForSession } from './unseen.ts';

/** State of a session that cannot be made again on another server. */
export type Pin =
  | 'temporary table'
  | 'cursor with hold'
  | 'advisory lock'
  | 'set_config'
  | 'unread statement'
  | 'unknown state'
  | 'replication';

const hint = /temp|hold|advisory_lock|set_config/i;
const temp = String.raw`(?:(?:local|global)\s+)?(?:temp|temporary)\b`;
const temporary = new RegExp(
  String.raw`\bcreate\s+(?:or\s+replace\s+)?${temp}|\binto\s+${temp}|\bcreate\b[^;]*\bpg_temp\s*\.`,
  'i',
);
const droppedAtCommit = /\bcreate\s+(?:(?:local|global)\s+)?temp(?:orary)?\b[^;]*?\bon\s+commit\s+drop\b/gi;
const holdable = /\bwith\s+hold\b/i;
/** Of a setting whose name the text does not say: the server has no list of the applications' own. */
const setsUnknownName = /\bset_config\s*\(\s*(?!'[^']*'\s*,)/i;
const advisory = /\bpg_(?:try_)?advisory_lock(?:_shared)?\s*\(/i;

/**
 * Which pins a text may set when it succeeds. Looks at words, not at grammar, and so errs to the safe side: a word in a
 * comment pins a session that need not be. What a function does inside the server is asked for (`inspect`).
 */
export function pinsOf(sql: string): Pin[] {
  if (!hint.test(sql)) return [];
  const pins: Pin[] = [];
  if (temporary.test(sql.replaceAll(droppedAtCommit, ' '))) pins.push('temporary table');
  if (holdable.test(sql)) pins.push('cursor with hold');
  if (advisory.test(sql)) pins.push('advisory lock');
  if (setsUnknownName.test(sql) && setsForSession(sql)) pins.push('set_config');
  return pins;
}
