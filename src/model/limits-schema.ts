import { z } from 'zod';
import { duration, size } from './units.ts';

/** Bytes of WAL that a slot may retain where nothing is declared. */
export const defaultRetainedWal = 4 * 1024 ** 3;

/** How long each step may take, and how much may be behind. Durations are in milliseconds, sizes in bytes. */
export const limitsSchema = z
  .strictObject({
    /** Creating the slot waits for transactions that are running; longer than this, it is given up. */
    slotCreation: duration.default(30_000),
    /** How long clients may be held until those in a transaction have finished. */
    pause: duration.default(2_000),
    /** The whole switchover, from the first held client to the commit point; then it reverts. */
    switchover: duration.default(10_000),
    /** Bytes of WAL that the candidate may be behind when the switchover begins. */
    lag: size.default(16 * 1024 ** 2),
    /** A transaction older than this blocks seeding and switching. */
    longTransaction: duration.default(60_000),
    /** WAL that a slot may retain on the live server before it is given up for lost. */
    retainedWal: size.default(defaultRetainedWal),
    /** Making a snapshot and restoring it. */
    snapshot: duration.default(3_600_000),
    /** Until a pod that no node has room for is given up. */
    pod: duration.default(300_000),
    /** Reading into the candidate's cache what the live colour uses most, before a switchover; 0 for none. */
    warm: duration.default(10_000),
    /** pg_upgrade on the candidate's volume, in a release to another major. */
    upgrade: duration.default(3_600_000),
    /** Until a new candidate has caught up with what was written since the snapshot. */
    catchUp: duration.default(600_000),
    /** lock_timeout of migrations. */
    migrationLock: duration.default(5_000),
    /** statement_timeout of migrations. */
    migrationStatement: duration.default(3_600_000),
    /** One release's tests. */
    test: duration.default(600_000),
  })
  .prefault({});
