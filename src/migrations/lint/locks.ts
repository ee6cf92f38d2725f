/** PostgreSQL's table lock modes, weakest first. */
export const lockModes = [
  'ACCESS SHARE',
  'ROW SHARE',
  'ROW EXCLUSIVE',
  'SHARE UPDATE EXCLUSIVE',
  'SHARE',
  'SHARE ROW EXCLUSIVE',
  'EXCLUSIVE',
  'ACCESS EXCLUSIVE',
] as const;
export type LockMode = (typeof lockModes)[number];

/** What other sessions cannot do while the lock is held, from the conflict table of PostgreSQL's manual (13.3.1). */
export const blocks: Readonly<Record<LockMode, string>> = {
  'ACCESS SHARE': 'blocks only ACCESS EXCLUSIVE',
  'ROW SHARE': 'blocks EXCLUSIVE and ACCESS EXCLUSIVE',
  'ROW EXCLUSIVE': 'blocks CREATE INDEX and stronger',
  'SHARE UPDATE EXCLUSIVE': 'blocks VACUUM and other schema changes; reads and writes go on',
  SHARE: 'blocks writes; reads go on',
  'SHARE ROW EXCLUSIVE': 'blocks writes and schema changes; reads go on',
  EXCLUSIVE: 'blocks writes and SELECT FOR UPDATE; plain reads go on',
  'ACCESS EXCLUSIVE': 'blocks reads and writes',
};

/** As pg_locks.mode spells it: `AccessExclusiveLock`. */
export function pgLocksName(mode: LockMode): string {
  return `${mode
    .split(' ')
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join('')}Lock`;
}
