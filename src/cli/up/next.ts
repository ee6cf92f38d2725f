import { other, type Colour } from '../../model/colours.ts';
import type { State } from '../../model/transitions.ts';

const advice: Readonly<Record<State, (live: Colour) => string>> = {
  single: (live) => `declare colours.${other(live)} with the next release to begin one`,
  seeded: () => 'run up again: the release is under way',
  migrated: () => 'run up again to prove the candidate, or take its colour out of the declaration to leave the release',
  verified: (live) =>
    `declare live: ${other(live)} to move the writes, canary: 10 to send readers first, or take ${other(live)} out to leave the release`,
  canary: (live) => `declare live: ${other(live)} to move the writes, or canary: 0 to take the readers back`,
  switched: (live) =>
    `declare live: ${other(live)} to go back, losing nothing; or take ${other(live)} out of the declaration to accept the release`,
};

/** What can be declared next, by environment. */
export function nextSteps(outputs: Readonly<Record<string, unknown>>): string[] {
  return Object.entries((outputs['environments'] ?? outputs) as Record<string, unknown>).flatMap(([name, value]) => {
    const { state, live } = (value ?? {}) as { state?: State; live?: Colour };
    return state === undefined || live === undefined || !(state in advice)
      ? []
      : [`${name} is ${state}, ${live} is live: ${advice[state](live)}`];
  });
}
