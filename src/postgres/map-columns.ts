import { label, type Table } from './catalogue.ts';
import { conversion } from './conversion.ts';
import type { MappingFindings } from './mapping-findings.ts';

export interface MappedColumns {
  /** Published: both sides store them. */
  readonly carried: readonly string[];
  /** Both sides have them, stored or computed alike. */
  readonly compared: readonly string[];
  /** The other side does not have them. */
  readonly lost: readonly string[];
}

export function mapColumns(source: Table, target: Table, said: MappingFindings): MappedColumns {
  const { direction, cost, refuse, warn } = said;
  const lost: string[] = [];
  const carried: string[] = [];
  const compared: string[] = [];
  for (const column of source.columns) {
    const there = target.columns.find(({ name }) => name === column.name);
    const where = `${label(source)}.${column.name}`;
    if (!there) {
      const renamed =
        target.oid === source.oid ? target.columns.find(({ number }) => number === column.number) : undefined;
      if (renamed && direction === 'forward')
        refuse(
          'column-renamed',
          `${where} becomes ${renamed.name}`,
          [where],
          'Add the new column, keep both in step with a trigger, and drop the old one in a later release.',
        );
      else if (source.identity.includes(column.name))
        refuse(
          'key-column-missing',
          `${where} is part of the replica identity and is missing on the other side`,
          [where],
          'Keep the key until the next release.',
        );
      else if (!column.generated) lost.push(column.name);
      continue;
    }
    compared.push(column.name);
    const taken = target.columns.find(({ number, name }) => number === column.number && name !== column.name);
    if (direction === 'forward' && target.oid === source.oid && there.number !== column.number) {
      if (taken)
        refuse(
          'column-renamed',
          `${where} becomes ${taken.name}, and another column has its name`,
          [where],
          'Add the new column under a name of its own, keep both in step with a trigger, and drop the old one in a later release.',
        );
      else
        warn(
          'column-remade',
          `${where} was dropped and added again`,
          [where],
          'What the live colour wrote there before is not in the new column unless the migration copied it; verify finds what is missing.',
          'Change the column in place (ALTER COLUMN), or copy its values in the same migration.',
        );
    }
    if (column.generated && !there.generated && direction === 'forward')
      refuse(
        'generation-removed',
        `${where} is computed here and not on the other side`,
        [where],
        'Drop the expression in the release after the one whose software writes the column.',
      );
    if (column.generated) continue;
    if (there.generated) {
      warn(
        'column-now-generated',
        `${where} is computed on the other side`,
        [where],
        'What is written is not carried; the other side computes its own.',
        'Make sure that the expression gives what the software writes.',
      );
      compared.pop();
      continue;
    }
    const fault = conversion(column, there);
    if (fault === 'impossible')
      refuse(
        'type-changed',
        `${where} is ${column.type} here and ${there.type} there, which its text form does not convert to`,
        [where],
        'Add a column of the new type beside the old one, keep both in step, and drop the old one in a later release.',
      );
    if (fault === 'may fail')
      warn(
        'type-narrowed',
        `${where} is ${column.type} here and ${there.type} there: not every value fits`,
        [where],
        `A value that does not fit stops replication: ${cost}.`,
        'Widen only; narrow in a release that nothing has to be rolled back from.',
      );
    carried.push(column.name);
  }
  return { carried, compared, lost };
}
