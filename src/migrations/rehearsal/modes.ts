import { lockModes, pgLocksName, type LockMode } from '../lint/locks.ts';

const byName = new Map(lockModes.map((mode) => [pgLocksName(mode), mode]));

/** From pg_locks.mode; undefined for SIReadLock, which blocks nobody. */
export function modeOf(name: string): LockMode | undefined {
  return byName.get(name);
}

/** 0 for the weakest. */
export function strength(mode: LockMode): number {
  return lockModes.indexOf(mode);
}

export function strongest(modes: Iterable<LockMode>): LockMode | undefined {
  return [...modes].sort((a, b) => strength(b) - strength(a))[0];
}

/**
 * Table 13.2 of PostgreSQL's manual: for each mode the weakest that it conflicts with, and those above; SHARE does not
 * conflict with itself.
 */
const conflictsFrom: Readonly<Record<LockMode, LockMode>> = {
  'ACCESS SHARE': 'ACCESS EXCLUSIVE',
  'ROW SHARE': 'EXCLUSIVE',
  'ROW EXCLUSIVE': 'SHARE',
  'SHARE UPDATE EXCLUSIVE': 'SHARE UPDATE EXCLUSIVE',
  SHARE: 'ROW EXCLUSIVE',
  'SHARE ROW EXCLUSIVE': 'ROW EXCLUSIVE',
  EXCLUSIVE: 'ROW SHARE',
  'ACCESS EXCLUSIVE': 'ACCESS SHARE',
};

export function conflict(a: LockMode, b: LockMode): boolean {
  if (a === 'SHARE' && b === 'SHARE') return false;
  return strength(b) >= strength(conflictsFrom[a]);
}

/** Whether a table cannot be written while the lock is held: an apply worker waits behind it as clients do. */
export function stopsWrites(mode: LockMode): boolean {
  return conflict(mode, 'ROW EXCLUSIVE');
}
