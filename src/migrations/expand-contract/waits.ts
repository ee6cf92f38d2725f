import { narrower, type LedgerLine, type ShapeLedger } from './ledger.ts';

/** Where an object of the old shape stands that another one stands in for. */
export interface Wait {
  readonly object: string;
  readonly kind: string;
  readonly replacedBy: string;
  /** The release that added what stands in. */
  readonly expandedBy: string;
  /** Releases that can be live now and know no other shape. */
  readonly usedBy: readonly string[];
  /** What must come first, in words; empty where the next release may take it away. */
  readonly waitsFor: readonly string[];
}

/** What a release did, beside the waits. */
export interface ReleaseShape {
  readonly release: string;
  readonly added: readonly { readonly object: string; readonly kind: string; readonly replaces: string | null }[];
  readonly takenAway: readonly { readonly object: string; readonly kind: string; readonly lastUsedBy: string | null }[];
}

export interface Now {
  readonly live: string;
  /**
   * The other colour's release, where there is one: before the switchover the candidate's, after it the retained one's.
   */
  readonly other?: { readonly release: string; readonly role: 'candidate' | 'retained' } | undefined;
  /** Backfills that are not done, by the object that they fill: `schema.table.column`. */
  readonly backfills: readonly { readonly name: string; readonly fills: readonly string[]; readonly state: string }[];
}

/** What waits for what, as the ledger and the environment stand. Pure. */
export function waits({ releases, lines }: ShapeLedger, now: Now): Wait[] {
  // One that the ledger does not know is on its way: it comes after all of them.
  const place = (release: string): number =>
    releases.includes(release) ? releases.lastIndexOf(release) : releases.length;
  return lines.flatMap((line): Wait[] => {
    const { object: replacedBy, kind, release: expandedBy, replaces } = line;
    if (replaces === null || isGone(lines, replaces, expandedBy, place)) return [];
    const reachable = [now.live, ...(now.other ? [now.other.release] : [])];
    const usedBy = reachable.filter((release) => place(release) < place(expandedBy));
    const waitsFor = [
      ...(place(now.live) < place(expandedBy) ? [`release ${expandedBy} to be live`] : []),
      ...(now.other?.role === 'retained' && place(now.other.release) < place(expandedBy)
        ? [`release ${now.other.release} to be retired: it can be rolled back to`]
        : []),
      ...now.backfills
        .filter(({ fills }) => fills.includes(replacedBy))
        .map(({ name, state }) => `backfill ${name}: ${state}`),
    ];
    return [{ object: replaces, kind, replacedBy, expandedBy, usedBy, waitsFor }];
  });
}

function isGone(
  lines: readonly LedgerLine[],
  object: string,
  since: string,
  place: (release: string) => number,
): boolean {
  return lines.some(
    (line) =>
      line.change === 'contract' &&
      !line.kind.startsWith(narrower) &&
      line.object === object &&
      place(line.release) > place(since),
  );
}

/** Oldest first. */
export function byRelease({ releases, lines }: ShapeLedger): ReleaseShape[] {
  return releases.map((release) => {
    const own = lines.filter((line) => line.release === release);
    return {
      release,
      added: own
        .filter(({ change }) => change === 'expand')
        .map(({ object, kind, replaces }) => ({ object, kind, replaces })),
      takenAway: own
        .filter(({ change }) => change === 'contract')
        .map(({ object, kind, lastUsedBy }) => ({ object, kind, lastUsedBy })),
    };
  });
}

/** The release before the one that added what stands in: the last that knows no other shape. */
export function lastUser({ releases }: ShapeLedger, expandedBy: string): string | undefined {
  return releases.slice(0, releases.lastIndexOf(expandedBy)).at(-1);
}
