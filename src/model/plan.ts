import type { Colour } from './colours.ts';
import { other } from './colours.ts';
import type { Environment } from './environment.ts';
import type { Journal } from './journal.ts';
import { transitions, type State, type Transition } from './transitions.ts';

/** What the operator asks for, reduced to what the planner needs. */
export interface Declared {
  readonly live: Colour;
  readonly releases: Readonly<Partial<Record<Colour, string>>>;
  readonly canary: number;
  /** Digests of the folders of migrations, as far as they can be read here. */
  readonly folders?: Readonly<Partial<Record<Colour, string>>>;
}

export type Observed = Pick<Journal, 'state' | 'live' | 'liveRelease'> & {
  readonly release: { readonly from: string; readonly to: string; readonly folder?: string | undefined } | null;
  /**
   * The release that the live one took the place of, where that is over: it is not gone back to by releasing it once
   * more.
   */
  readonly left?: string | undefined;
};

export interface Planned extends Transition {
  /** Why this plan takes the edge, beside the edge's own reason. */
  readonly because: string;
}

export function declaredOf(environment: Environment): Declared {
  const releases = Object.fromEntries(
    Object.entries(environment.colours).map(([colour, { release }]) => [colour, release]),
  );
  return { live: environment.live, releases, canary: environment.canary };
}

/** What the journal and the history tell. Only the last release counts: names of older ones may come again. */
export function observedOf(
  { state, live, liveRelease, release }: Observed,
  history: readonly { readonly from: string; readonly to: string; readonly outcome: string }[],
): Observed {
  const last = history.findLast(({ outcome }) => outcome === 'released');
  return { state, live, liveRelease, release, left: last?.to === liveRelease ? last.from : undefined };
}

/**
 * Whether what is declared beside the live colour is the release that was left: a declaration that was not changed
 * since.
 */
export function declaresLeft({ releases }: Declared, { state, live, left }: Observed): boolean {
  return state === 'single' && left !== undefined && releases[other(live)] === left;
}

/**
 * The edges to take, in order, to bring an environment from what is observed to what is declared, or as far as `goal`.
 * Pure. Never plans to switch without verifying, nor to drop a colour that the declaration still names with its
 * release.
 */
export function plan(declared: Declared, observed: Observed, goal?: State): Planned[] {
  const { state, live, release } = observed;
  if (goal !== undefined) return toGoal(state, goal, declared.canary);
  if (declaresLeft(declared, observed)) return [];
  const changed = folderChanged(declared, observed);
  if (changed) {
    const moves = declared.live !== live;
    const to = moves ? 'switched' : declared.canary > 0 ? 'canary' : 'verified';
    return [
      edge(state, 'abandon', changed),
      ...forward('single', to, declared.canary, moves ? `the declaration says live: ${declared.live}` : changed),
    ];
  }
  if (declared.live !== live) {
    if (state === 'switched')
      return [
        edge(
          'switched',
          'rollback',
          `the declaration says live: ${declared.live}, which is the retained colour`,
          'lossless',
        ),
      ];
    return forward(state, 'switched', declared.canary, `the declaration says live: ${declared.live}`);
  }
  const idle = declared.releases[other(live)];
  if (state === 'single') {
    if (idle === undefined || idle === observed.liveRelease) return [];
    return forward(
      state,
      declared.canary > 0 ? 'canary' : 'verified',
      declared.canary,
      `the declaration names release ${idle} for ${other(live)}`,
    );
  }
  if (state === 'switched') {
    if (idle === undefined) return [edge('switched', 'retire', `${other(live)} is no longer declared`)];
    if (idle === release?.from) return [];
    return [
      edge('switched', 'retire', `${other(live)} is declared with another release`),
      ...forward(
        'single',
        declared.canary > 0 ? 'canary' : 'verified',
        declared.canary,
        `the declaration names release ${idle} for ${other(live)}`,
      ),
    ];
  }
  if (idle === undefined) return [edge(state, 'abandon', `${other(live)} is no longer declared`)];
  if (idle !== release?.to)
    return [
      edge(state, 'abandon', `${other(live)} is declared with another release`),
      ...forward('single', 'verified', declared.canary, `the declaration names release ${idle}`),
    ];
  if (declared.canary > 0) return forward(state, 'canary', declared.canary, 'the declaration asks for a canary');
  return state === 'canary'
    ? [edge('canary', 'verify', 'the declaration no longer asks for a canary')]
    : forward(state, 'verified', 0, `release ${idle} is under way`);
}

/** Why a candidate is no longer what its folder says: what was added or edited since would not be run on it. */
function folderChanged({ releases, folders }: Declared, { state, live, release }: Observed): string | undefined {
  const idle = other(live);
  const [has, is] = [release?.folder, folders?.[idle]];
  if (state !== 'migrated' && state !== 'verified' && state !== 'canary') return undefined;
  if (has === undefined || is === undefined || has === is || releases[idle] !== release?.to) return undefined;
  return `the migrations of ${idle} have changed since they were applied`;
}

/** Back to `single` there are two ways, by where the writes are. */
function toGoal(state: State, goal: State, canary: number): Planned[] {
  const because = `asked for ${goal}`;
  if (goal !== 'single') return forward(state, goal, canary, because);
  return state === 'single' ? [] : [edge(state, state === 'switched' ? 'retire' : 'abandon', because)];
}

const chain: readonly State[] = ['single', 'seeded', 'migrated', 'verified', 'canary', 'switched'];

function forward(from: State, goal: State, canary: number, because: string): Planned[] {
  const path = chain.filter((state) => state !== 'canary' || canary > 0 || from === 'canary' || goal === 'canary');
  const wanted = path.slice(path.indexOf(from), path.indexOf(goal) + 1);
  return wanted.slice(1).map((to, index) => {
    const found = transitions.find(
      (transition) => transition.from === wanted[index] && transition.to === to && transition.kind === undefined,
    );
    if (!found) throw new Error(`no edge from ${wanted[index]} to ${to}`);
    return { ...found, because };
  });
}

function edge(from: State, verb: Transition['verb'], because: string, kind?: Transition['kind']): Planned {
  const found = transitions.find(
    (transition) => transition.from === from && transition.verb === verb && transition.kind === kind,
  );
  if (!found) throw new Error(`no edge ${verb} from ${from}`);
  return { ...found, because };
}

/**
 * The colours that applications may be writing to, by the journal: at every moment at most one. While a
 * switchover is under way the fence may or may not be up, and the candidate is never open before the commit point.
 */
export function writable(journal: Pick<Journal, 'live' | 'operation'>): readonly Colour[] {
  const { operation } = journal;
  const switching = operation?.verb === 'switch' || operation?.verb === 'rollback';
  if (!switching) return [journal.live];
  const fenced = operation.steps.some((step) => step.id === 'fence' && step.endedAt !== undefined);
  return fenced && operation.phase === 'start' ? [] : [journal.live];
}
