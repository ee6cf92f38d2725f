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

function environmentsOf(outputs: Readonly<Record<string, unknown>>): [string, unknown][] {
  return Object.entries((outputs['environments'] ?? outputs) as Record<string, unknown>);
}

/** How applications get at environments that were just made. */
export function connecting(outputs: Readonly<Record<string, unknown>>): string[] {
  return environmentsOf(outputs).flatMap(([name, value]) => {
    const { address, secrets = {} } = (value ?? {}) as { address?: string; secrets?: Record<string, string> };
    if (address === undefined) return [];
    const named = Object.entries(secrets).map(([role, secret]) => `${secret} (${role})`);
    return [
      `${name}: applications connect to ${address}; user, password and uri are in the Secrets ${named.join(', ')}`,
    ];
  });
}

/** What can be declared next, by environment. */
export function nextSteps(outputs: Readonly<Record<string, unknown>>): string[] {
  return environmentsOf(outputs).flatMap(([name, value]) => {
    const { state, live } = (value ?? {}) as { state?: State; live?: Colour };
    return state === undefined || live === undefined || !(state in advice)
      ? []
      : [`${name} is ${state}, ${live} is live: ${advice[state](live)}`];
  });
}
