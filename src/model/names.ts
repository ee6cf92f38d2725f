import type { Colour } from './colours.ts';

/** Every name that Verdigris gives to something outside its own schema begins with this. */
export const prefix = 'verdigris';

/**
 * Superuser of the operator, on every server of an environment. Not named as the schema: "$user" in the search path
 * would then send what a migration creates without a schema into ours.
 */
export const operatorRole = 'verdigris_operator';
/** The role that subscriptions log in with on the other colour: it may replicate and nothing else. */
export const replicationRole = 'verdigris_replication';

/** Reads what users made, and can do nothing else. */
export const readerRole = 'verdigris_reader';
/** Locks rows that never stand still while they are compared. */
export const lockerRole = 'verdigris_locker';
/** What migration tools and the user's SQL log in as, for the length of one run, as members of its owner. */
export const migrationRole = 'verdigris_migration';
/** The same for a hook's statement, which may run beside it. */
export const hookRole = 'verdigris_hook';
/** By which a fence by rights tries to get in. */
export const knockRole = `${prefix}_knock`;
/** Whatever is made and dropped again to see what the operator may: a role, a slot, a schema. */
export const trialName = `${prefix}_trial`;
/** Whom a fence lets through: nobody else has their credentials. */
export const ownRoles: readonly string[] = [operatorRole, replicationRole, readerRole, lockerRole];
/** All that Verdigris makes: a user's `verdigris_team` is none. */
export const madeRoles: readonly string[] = [...ownRoles, migrationRole, hookRole, knockRole, trialName];

/** Publications, slots and subscriptions of a stream, and of what watches the candidate beside it: see `streamName`. */
export const streamPattern = `^${prefix}_.+_[0-9]+_(blue|green)_to_(blue|green)(_tool|_proof)?$`;

/**
 * Publication, slot and subscription of a stream bear one name; slots allow a-z, 0-9 and _ (63 bytes). `database`: which
 * of the release's it is of, where it is not the first: slots of all databases share their names.
 */
export function streamName(environment: string, number: number, from: Colour, to: Colour, database = 1): string {
  const which = database === 1 ? '' : `d${database}_`;
  return `${streamPrefix(environment)}${which}${number}_${from}_to_${to}`;
}

/** What the names of all streams of an environment begin with. */
export function streamPrefix(environment: string): string {
  return `${prefix}_${environment.replaceAll('-', '_')}_`;
}

export function seedSnapshotName(generation: number): string {
  return `seed-${generation}`;
}

/**
 * `attempt`: when the operation began, as its journal says it. Two attempts at one switchover never share a snapshot.
 */
export function fallbackSnapshotName(stream: number, attempt: string): string {
  return `before-switch-${stream}-${Date.parse(attempt).toString(36)}`;
}
