/** Each state is a guarantee; work happens on the edges between them. */
export const states = ['single', 'seeded', 'migrated', 'verified', 'canary', 'switched'] as const;
export type State = (typeof states)[number];

export const verbs = ['seed', 'migrate', 'verify', 'canary', 'switch', 'rollback', 'retire', 'abandon'] as const;
export type Verb = (typeof verbs)[number];

export interface Transition {
  readonly from: State;
  readonly verb: Verb;
  readonly to: State;
  /** Only of `rollback`: the two kinds end in different states. */
  readonly kind?: 'lossless' | 'lossy';
  /** Why the edge exists; shown in plans and logs. */
  readonly reason: string;
}

/** What holds in each state, in words for status and docs. */
export const guarantees: Readonly<Record<State, string>> = {
  single: 'one colour, live; nothing else exists',
  seeded: 'a candidate exists and follows the live colour; nobody but replication and migrations can write to it',
  migrated: "the candidate carries the release's schema and still follows the live colour",
  verified: 'the candidate was proved to hold the same data',
  canary: 'a declared share of the readers is served by the candidate',
  switched:
    'the candidate became live; the former live colour is retained and follows it, so that a rollback loses nothing',
};

/** The only place where edges exist. test/model/transitions.test.ts holds a golden rendering. */
export const transitions: readonly Transition[] = [
  { from: 'single', verb: 'seed', to: 'seeded', reason: 'a release needs a copy of the live colour that follows it' },
  {
    from: 'seeded',
    verb: 'migrate',
    to: 'migrated',
    reason: 'the schema changes on the candidate first, where nobody waits for it',
  },
  { from: 'migrated', verb: 'verify', to: 'verified', reason: 'no client may use a copy that was not verified' },
  { from: 'verified', verb: 'verify', to: 'verified', reason: 'a comparison ages; it may be renewed' },
  {
    from: 'verified',
    verb: 'canary',
    to: 'canary',
    reason: 'reads show what a comparison cannot: plans, caches, software',
  },
  { from: 'canary', verb: 'canary', to: 'canary', reason: 'the share of reads moves in steps' },
  { from: 'canary', verb: 'verify', to: 'verified', reason: 'a renewed proof takes the readers back first' },
  { from: 'verified', verb: 'switch', to: 'switched', reason: 'writes move, once' },
  { from: 'canary', verb: 'switch', to: 'switched', reason: 'writes move, once' },
  {
    from: 'switched',
    verb: 'rollback',
    to: 'migrated',
    kind: 'lossless',
    reason: 'writes move back over reverse replication; the candidate follows again',
  },
  {
    from: 'switched',
    verb: 'rollback',
    to: 'single',
    kind: 'lossy',
    reason: 'reverse replication no longer works: the former live colour serves again, what it lacks is exported',
  },
  {
    from: 'switched',
    verb: 'retire',
    to: 'single',
    reason: 'the release is accepted; the retained colour is no longer needed',
  },
  { from: 'seeded', verb: 'abandon', to: 'single', reason: 'before the switchover a release can always be cancelled' },
  {
    from: 'migrated',
    verb: 'abandon',
    to: 'single',
    reason: 'before the switchover a release can always be cancelled',
  },
  {
    from: 'verified',
    verb: 'abandon',
    to: 'single',
    reason: 'before the switchover a release can always be cancelled',
  },
  { from: 'canary', verb: 'abandon', to: 'single', reason: 'before the switchover a release can always be cancelled' },
];

export function possible(from: State): Transition[] {
  return transitions.filter((edge) => edge.from === from);
}

/** The states that a verb leaves from, and the one that it ends in. */
export function pathOf({ verb, kind }: { readonly verb: Verb; readonly kind?: Transition['kind'] }): {
  readonly from: readonly State[];
  readonly to: State;
} {
  const edges = transitions.filter((edge) => edge.verb === verb && edge.kind === kind);
  const [first] = edges;
  if (!first) throw new Error(`no edge of ${verb}`);
  return { from: edges.map(({ from }) => from), to: first.to };
}

/** One line per edge, for the docs and the golden test. */
export function renderTransitions(): string {
  return transitions
    .map(({ from, verb, kind, to, reason }) => `${from} --${verb}${kind ? ` (${kind})` : ''}--> ${to}: ${reason}`)
    .join('\n');
}
