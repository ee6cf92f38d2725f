import { colors } from './colors.ts';
import type { WaitReport } from '../operations/reads/waits.ts';

export const help = `
The rule           A release may add. What release N uses goes only in a release after N is past:
                   N is live until the switchover, and is what a rollback leads back to. migrate
                   refuses what breaks it.
A rename           N+1 adds the new column beside the old one (rename-column); a trigger keeps both
                   in step, a backfill fills it; the software of N+1 uses the new one. N+2 drops the
                   old one (contract).
A type change      the same, with a column of the new type (change-type).
A table's name     a view with the new name (rename-table), which is read and written like the
                   table, and stays.
A rule, a value    not-null, check, unique, foreign-key, remove-value: N+1 repairs what its clients
                   write, a later release makes it a rule (contract).
What is parted     split-column, merge-columns, split-table: as a rename. A plain column goes by
                   drop-column, then contract with --last-used-by.
To say so by hand  in the migration that drops it:
                   -- verdigris: contract shop.customer.name last-used-by 41
Exit code          0 done, 2 usage, 4 refused: no recipe fits, or it is too early.

Examples
  verdigris expand-contract
  verdigris expand-contract rename-column shop.customer name full_name
  verdigris expand-contract change-type shop.customer age bigint --as age_big --dry-run
  verdigris expand-contract change-type shop.orders state int \\
    --using "array_position(ARRAY['new','paid'], state)" --back "(ARRAY['new','paid'])[state_new]"
  verdigris expand-contract rename-table shop.customer client
  verdigris expand-contract not-null shop.customer age --fill 0
  verdigris expand-contract foreign-key shop.customer country shop.country.code
  verdigris expand-contract split-column shop.customer name \\
    "first text = split_part(name, ' ', 1)" \\
    "last text = split_part(name, ' ', 2)" --back "first || ' ' || last"
  verdigris expand-contract contract shop.customer.name`;

/** What waits for what, as it is printed. */
export function waitsText({ live, other: beside, waits, halves, releases }: WaitReport): string {
  const head = `live: release ${live}${beside ? `; ${beside.role}: release ${beside.release}` : ''}`;
  const open = waits.map((wait) =>
    [
      `${colors.bold(wait.object)} → ${colors.bold(wait.replacedBy)}  (release ${wait.expandedBy})`,
      wait.usedBy.length > 0
        ? `  used by    release ${wait.usedBy.join(', ')}, which ${wait.usedBy.length > 1 ? 'know' : 'knows'} nothing else`
        : `  used by    no release before ${wait.expandedBy} any more; by later ones, unless their software stopped`,
      wait.waitsFor.length > 0
        ? `  waits for  ${wait.waitsFor.join('\n             ')}`
        : `  waits for  nothing: the release after ${live} may take it away`,
      ...(wait.waitsFor.length > 0 ? [] : [`  then       verdigris expand-contract contract ${wait.object}`]),
    ].join('\n'),
  );
  const past = releases
    .filter(({ added, takenAway }) => added.length + takenAway.length > 0)
    .map(({ release, added, takenAway }) =>
      [
        `release ${release}`,
        ...added.map(
          ({ object, kind, replaces }) => `  + ${kind} ${object}${replaces === null ? '' : ` for ${replaces}`}`,
        ),
        ...takenAway.map(
          ({ object, kind, lastUsedBy }) =>
            `  - ${kind} ${object}${lastUsedBy === null ? '' : `, last used by ${lastUsedBy}`}`,
        ),
      ].join('\n'),
    );
  return [
    head,
    open.length > 0 ? open.join('\n\n') : 'No old shape waits to be taken away.',
    ...halves.map(
      (objects) =>
        `${colors.bold(objects.join(', '))} has its second half to come\n  then       verdigris expand-contract contract ${objects[0] ?? ''}`,
    ),
    ...(past.length > 0 ? [`What each release did:\n${past.join('\n')}`] : []),
  ].join('\n\n');
}
