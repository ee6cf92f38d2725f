import { other, type Colour } from '../model/colours.ts';
import type { Environment } from '../model/environment.ts';
import type { Journal } from '../model/journal.ts';
import type { Observed, Planned } from '../model/plan.ts';

/** A colour as it is: which life of it, and whether its server is one that somebody else made. */
export interface Life {
  readonly generation: number;
  readonly major: number;
  readonly release: string;
  readonly adopted: boolean;
}

/** What the plan begins from. */
export interface Standing {
  readonly journal: Pick<Journal, 'state' | 'live' | 'liveRelease' | 'release' | 'generation' | 'streams'> &
    Pick<Observed, 'left'>;
  readonly lives: Readonly<Partial<Record<Colour, Life>>>;
}

/** An environment from nothing, as it is at its first moment. */
export function unborn(environment: Environment): Standing {
  const { live, colours: declared, kubernetes } = environment;
  const { release = '', postgres: major = 0 } = declared[live] ?? {};
  return {
    journal: { state: 'single', live, liveRelease: release, release: null, generation: 1, streams: 0 },
    lives: { [live]: { generation: 1, major, release, adopted: kubernetes.adopt !== undefined } },
  };
}

export type Lives = Partial<Record<Colour, Life>>;

export function livesAfter(environment: Environment, { journal, lives }: Standing, steps: readonly Planned[]): Lives {
  const idle = other(journal.live);
  const verbs = new Set(steps.map(({ verb }) => verb));
  const seeded = environment.colours[idle];
  const stays = verbs.has('retire') || verbs.has('abandon') ? undefined : lives[idle];
  const candidate =
    verbs.has('seed') && seeded
      ? { generation: journal.generation + 1, major: seeded.postgres, release: seeded.release, adopted: false }
      : stays;
  return {
    ...(lives[journal.live] ? { [journal.live]: lives[journal.live] } : {}),
    ...(candidate ? { [idle]: candidate } : {}),
  };
}
