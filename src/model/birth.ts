import { VerdigrisError } from './errors.ts';

/** Something that says that an environment exists: a server, a volume, a database, Pulumi's state. */
export interface Trace {
  /** For people: `PersistentVolumeClaim shop/shop-blue-4`. */
  readonly what: string;
  /** Of the environment that it belongs to; undefined where nobody has written it there yet. */
  readonly uid?: string | undefined;
}

/**
 * An environment that existed and has no journal. Nothing may be made in its place: an empty database would be taken
 * for the data.
 */
export function journalLost(
  environment: string,
  where: string,
  found: readonly Trace[],
  { snapshots = [], forget }: { readonly snapshots?: readonly string[]; readonly forget?: string | undefined } = {},
): VerdigrisError {
  const rebuild =
    `put the journal back (docs/operations/journal.md), or have it made from what is there: \`verdigris ` +
    `recover --rebuild\` shows it, --yes writes it`;
  const elsewhere = forget === undefined ? '' : ` Where the data may go: ${forget}`;
  const restore =
    snapshots.length === 0
      ? ''
      : ` Snapshots that are there, for kubernetes.from.snapshot: ${snapshots.join(', ')} (docs/kubernetes.md).`;
  const real = found.filter(({ what }) => what !== engineState);
  return new VerdigrisError('journal-lost', {
    seen: `The environment ${environment} existed, and there is no journal of it in ${where}. Found: ${found.map(named).join(', ') || 'nothing else'}.`,
    required: 'its journal, or a place with no trace of it.',
    next:
      'nothing was made and nothing was changed. ' +
      (real.length > 0
        ? `To keep the data, ${rebuild}.`
        : `There is no server and no volume of it ${where}: look whether that is the right place.`) +
      `${restore}${elsewhere}`,
    facts: { environment, where, found, snapshots },
  });
}

/** How Pulumi's state is called among traces. */
export const engineState = 'the state of the Pulumi stack';

/** The journal and what it is about belong to two environments. */
export function otherEnvironment(
  environment: string,
  uid: string | undefined,
  found: readonly Trace[],
): VerdigrisError {
  return new VerdigrisError('other-environment', {
    seen:
      `The journal of ${environment} is that of ` +
      `${uid === undefined ? 'an environment without uid' : `the environment ${uid}`}; ` +
      `${found.map(named).join(', ')}.`,
    required: 'the journal of this environment.',
    next:
      'nothing was changed. Put the journal back that belongs to these ' +
      '(docs/operations/journal.md#other-environment); where it is gone, take the wrong one away and run ' +
      '`verdigris recover --rebuild`.',
    facts: { environment, uid, found },
  });
}

function named({ what, uid }: Trace): string {
  return `${what}${uid === undefined ? '' : ` (of the environment ${uid})`}`;
}

/** Those that belong to another environment than `uid`: what bears none yet is nobody's. */
export function strangers(uid: string | undefined, found: readonly Trace[]): Trace[] {
  return found.filter((trace) => trace.uid !== undefined && trace.uid !== uid);
}
