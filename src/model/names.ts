import type { Colour } from './colours.ts';

/** Every name that Verdigris gives to something outside its own schema begins with this. */
export const prefix = 'verdigris';

/** Superuser of the operator, on every server of an environment. */
export const operatorRole = 'verdigris';
/** The role that subscriptions log in with on the other colour: it may replicate and nothing else. */
export const replicationRole = 'verdigris_replication';

/** Publication, slot and subscription of a stream bear one name; slots allow a-z, 0-9 and _ (63 bytes). */
export function streamName(environment: string, number: number, from: Colour, to: Colour): string {
  return `${prefix}_${environment.replaceAll('-', '_')}_${number}_${from}_to_${to}`;
}

export function seedSnapshotName(generation: number): string {
  return `seed-${generation}`;
}

export function fallbackSnapshotName(stream: number): string {
  return `before-switch-${stream}`;
}
