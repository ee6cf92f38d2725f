import { describe } from '../../model/errors.ts';
import type { Fleet } from './file.ts';

/** What came of one environment. */
export interface Walked {
  readonly file: string;
  readonly wave: string;
  readonly outcome: 'released' | 'failed' | 'not begun';
  readonly error?: { readonly id: string; readonly seen: string } | undefined;
  readonly seconds?: number;
}

export interface WalkPorts {
  /** Brings one environment to what its declaration says; an error where it could not. One that throws has failed. */
  release(file: string): Promise<Walked['error']>;
  begun(file: string, wave: string): void;
  ended(outcome: Walked): void;
  readonly signal: AbortSignal;
}

/**
 * Wave by wave. Once as many have failed as the fleet allows nothing more is begun; what is under way goes on to its
 * end, since a release that is cut off is worse than one that fails. Environments that are released already have
 * nothing to do: the same walk again goes on where it was stopped.
 */
export async function walkWaves({ waves, stopAt }: Fleet, ports: WalkPorts): Promise<Walked[]> {
  const outcomes = new Map<string, Walked>();
  let failures = 0;
  const stopped = (): boolean => failures >= stopAt || ports.signal.aborted;
  for (const { name, environments, atATime } of waves) {
    const waiting = [...environments];
    const lane = async (): Promise<void> => {
      for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
        if (stopped()) return;
        ports.begun(file, name);
        const began = performance.now();
        const error = await ports
          .release(file)
          .catch((cause: unknown) => ({ id: 'unexpected', seen: describe(cause) }));
        if (error) failures += 1;
        const seconds = Math.round((performance.now() - began) / 100) / 10;
        const outcome: Walked = { file, wave: name, outcome: error ? 'failed' : 'released', error, seconds };
        outcomes.set(file, outcome);
        ports.ended(outcome);
      }
    };
    await Promise.all(Array.from({ length: atATime }, lane));
  }
  return waves.flatMap(({ name, environments }) =>
    environments.map((file) => outcomes.get(file) ?? { file, wave: name, outcome: 'not begun' as const }),
  );
}
