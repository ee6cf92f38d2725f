import { finding, type Finding } from '../../model/finding.ts';
import type { ContractNote } from './notes.ts';
import { changeLine, type SeenChange } from '../../model/shape-changes.ts';

export interface JudgedStage {
  /** Releases that the live colour has carried, oldest first; the last one is live. */
  readonly releases: readonly string[];
  /** Live until the switchover, and what a rollback leads back to. */
  readonly from: string;
  readonly to: string;
  /** What was taken away before, by which note: a note speaks once. */
  readonly spent: readonly { readonly object: string; readonly lastUsedBy: string | null }[];
  /** Names of the migrations that are to run: a note in a file of theirs that fits nothing is reported. */
  readonly pending: readonly string[];
}

/**
 * The rule: while the live release can be live, or be rolled back to, nothing may go that it uses; and a release uses
 * all of its schema unless a note says that its software no longer does. While the new one is migrated, it and the live
 * one are the releases that can be live: those before ended when the live one was accepted.
 */
export function judgeContractions(
  found: readonly SeenChange[],
  notes: readonly ContractNote[],
  stage: JudgedStage,
): Finding[] {
  const { releases, from, to, spent, pending } = stage;
  const fresh = notes.filter(
    (note) => !spent.some((known) => known.object === note.object && known.lastUsedBy === (note.lastUsedBy ?? null)),
  );
  const early: { object: string; line: string }[] = [];
  const unknown: Finding[] = [];
  for (const change of found) {
    const { object } = change;
    const said = fresh.filter((note) => note.object === object);
    if (said.some(({ lastUsedBy }) => lastUsedBy === undefined || before(releases, lastUsedBy, from, to))) continue;
    const strange = said.find(
      ({ lastUsedBy }) =>
        lastUsedBy !== undefined && lastUsedBy !== from && lastUsedBy !== to && !releases.includes(lastUsedBy),
    );
    if (strange) unknown.push(unheard(object, strange, releases, from));
    else {
      const users = said.map(({ lastUsedBy }) => lastUsedBy).join(', ');
      early.push({ object, line: `${changeLine(change)}${users === '' ? '' : `, last used by ${users}`}` });
    }
  }
  const previous = releases.slice(0, releases.lastIndexOf(from)).at(-1);
  const lastUse = previous === undefined ? 'unused because REASON' : `last-used-by ${previous}`;
  return [
    ...unknown,
    ...(early.length === 0
      ? []
      : [
          finding('contract-too-early', {
            title: `release ${to} takes away what release ${from} uses`,
            objects: early.map(({ line }) => line),
            reason:
              `Release ${from} is live until the switchover and is what a rollback leads back to; it uses all of its ` +
              'schema unless a note says otherwise.',
            fix:
              'Move these statements to the release after the last one that uses it (verdigris expand-contract shows ' +
              `which). Where the software of ${from} no longer uses it, say so in the migration, each in a line:\n` +
              [...new Set(early.map(({ object }) => `-- verdigris: contract ${object} ${lastUse}`))].join('\n'),
          }),
        ]),
    ...idle(
      fresh.filter(({ at }) => pending.some((name) => at.includes(name))),
      found,
    ),
  ];
}

/** By the place where a release was last live: a name may come again. */
function before(releases: readonly string[], one: string, from: string, to: string): boolean {
  if (one === from || one === to) return false;
  const place = releases.lastIndexOf(one);
  return place >= 0 && place < releases.lastIndexOf(from);
}

function unheard(object: string, { lastUsedBy, at }: ContractNote, releases: readonly string[], from: string): Finding {
  return finding('contract-release-unknown', {
    title: `${at} says that ${object} was last used by release ${lastUsedBy ?? ''}, which this environment never carried`,
    objects: [object],
    reason: `Releases are known by their names alone, so nothing shows whether that one came before ${from}.`,
    fix:
      `Name one of ${releases.join(', ')}; or, where no release that this environment can carry uses it: -- ` +
      `verdigris: contract ${object} unused because REASON`,
  });
}

function idle(fresh: readonly ContractNote[], found: readonly SeenChange[]): Finding[] {
  const objects = fresh.filter((note) => !found.some(({ object }) => object === note.object));
  if (objects.length === 0) return [];
  return [
    finding('contract-note-idle', {
      objects: objects.map(({ object, at }) => `${object} (${at})`),
      reason: 'A note that matches nothing is most likely misspelt.',
    }),
  ];
}
