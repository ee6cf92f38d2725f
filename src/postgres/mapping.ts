import { finding, type Finding, type WordlessId } from '../model/finding.ts';
import { label, type Column, type Table } from './catalogue.ts';
import type { PublishedTable } from './stream/publication.ts';
import { ident } from './quote.ts';
import { isUnidentified, standIn, unsentIdentity } from './row-identity.ts';

/** What replication from one colour can carry to the other, and what it cannot. */
export interface Mapping {
  readonly published: readonly PublishedTable[];
  /** Pairs present on both sides with the columns that both compute or store alike, for comparing data. */
  readonly common: readonly { readonly from: Table; readonly to: Table; readonly columns: readonly string[] }[];
  readonly findings: readonly Finding[];
}

/**
 * Conversions by text that never fail and lose nothing, by base type, besides those to text: what PostgreSQL prints of
 * the left, the right reads.
 */
const widening: Readonly<Record<string, readonly string[]>> = {
  int2: ['int4', 'int8', 'numeric', 'float4', 'float8'],
  int4: ['int8', 'numeric', 'float8'],
  int8: ['numeric'],
  float4: ['float8'],
  json: [],
  jsonb: ['json'],
  date: ['timestamp'],
};

/**
 * Derives the column lists of a publication from both catalogues. Objects are matched by oid and attribute number where
 * the two are copies of one volume, so that a rename shows as one, and by name otherwise. `direction` colours the
 * words: what cannot go forward stops the release, what cannot go back takes the lossless rollback away.
 */
export function mapTables(from: readonly Table[], to: readonly Table[], direction: 'forward' | 'reverse'): Mapping {
  const findings: Finding[] = [];
  const published: PublishedTable[] = [];
  const common: { from: Table; to: Table; columns: string[] }[] = [];
  const cost =
    direction === 'forward' ? 'replication to the candidate would stop' : 'a lossless rollback would be lost';
  const refuse = (id: WordlessId, title: string, objects: readonly string[], fix: string): void =>
    void findings.push(
      finding(id, { title, objects, reason: `Rows of the current software cannot be carried: ${cost}.`, fix }),
    );
  const warn = (id: WordlessId, title: string, objects: readonly string[], reason: string, fix: string): void =>
    void findings.push(finding(id, { title, objects, reason, fix }));

  const copies = from.some((one) => to.some((two) => two.oid === one.oid && label(two) === label(one)));
  for (const source of from) {
    const target = to.find((table) => label(table) === label(source));
    if (!target) {
      const renamed = to.find((table) => table.oid === source.oid && label(table) !== label(source));
      if (renamed && direction === 'forward')
        refuse(
          'table-renamed',
          `${label(source)} becomes ${label(renamed)}`,
          [label(source)],
          `Add a view ${label(source)} or a new table beside the old one, and rename in a later release (expand, then contract).`,
        );
      else if (direction === 'forward')
        warn(
          'table-dropped',
          `${label(source)} is gone on the candidate`,
          [label(source)],
          'What the current software writes there until the switchover is not carried.',
          'Drop a table in a release after the last one that uses it.',
        );
      continue;
    }
    if (copies && target.oid !== source.oid && direction === 'forward')
      refuse(
        'table-remade',
        `${label(source)} was made again under its name`,
        [label(source)],
        `Change ${label(source)} in place (ALTER TABLE); or make the new table beside it under another name, and leave the old one to the release after.`,
      );
    const unsent = unsentIdentity(source, target);
    if (direction === 'reverse' && isUnidentified(source) && !isUnidentified(target))
      findings.push(
        finding('replica-identity-missing', {
          objects: [label(source)],
          reason: 'Once it is published, every UPDATE and DELETE on it fails on the database itself.',
          fix: `Leave ${label(source)} a primary key, or give it another replica identity in the same migration.`,
        }),
      );
    else if (unsent.length > 0 && !isUnidentified(source) && !(direction === 'forward' && standIn(source, target)))
      refuse(
        'identity-changed',
        `rows of ${label(target)} are found by ${unsent.join(', ')}, which is no part of what the other side sends to identify them`,
        [label(target)],
        `Keep the key of ${label(source)} in this release and make the new one a unique index beside it (ALTER TABLE … ` +
          'REPLICA IDENTITY USING INDEX keeps the old one for replication); change the key in the release after.',
      );
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
    const extra = target.columns.filter(
      (column) =>
        !column.generated &&
        column.notNull &&
        !column.hasDefault &&
        !source.columns.some(({ name }) => name === column.name),
    );
    if (extra.length > 0)
      refuse(
        'required-column-added',
        `${label(target)} requires ${extra.map(({ name }) => name).join(', ')}, which the other side does not have`,
        extra.map(({ name }) => `${label(target)}.${name}`),
        extra
          .map(
            ({ name }) => `ALTER TABLE ${ident(target.schema, target.name)} ALTER COLUMN ${ident(name)} SET DEFAULT …;`,
          )
          .join(' '),
      );
    const stricter = target.columns.filter(
      (column) =>
        column.notNull &&
        !column.generated &&
        source.columns.some(({ name, notNull }) => name === column.name && !notNull),
    );
    if (stricter.length > 0)
      warn(
        'stricter-not-null',
        `${label(target)} forbids NULL in ${stricter.map(({ name }) => name).join(', ')}, the other side allows it`,
        stricter.map(({ name }) => `${label(target)}.${name}`),
        `A NULL written there stops replication: ${cost}.`,
        'Let the software stop writing NULL one release earlier.',
      );
    if (lost.length > 0)
      warn(
        'columns-not-carried',
        `${label(source)}: ${lost.join(', ')} ${lost.length === 1 ? 'is' : 'are'} not on the other side`,
        lost.map((name) => `${label(source)}.${name}`),
        direction === 'forward'
          ? 'What the current software writes there is not carried.'
          : 'After a rollback the columns that only this release has are gone, with what was written in them.',
        'Nothing, where that is meant.',
      );
    if (source.replicaIdentity === 'full' && lost.length > 0)
      refuse(
        'full-identity-with-list',
        `${label(source)} has REPLICA IDENTITY FULL and columns that the other side lacks`,
        [label(source)],
        `Give ${label(source)} a primary key: a column list must hold the whole identity.`,
      );
    const everything = source.columns.filter(({ generated }) => !generated).length === carried.length;
    published.push({ table: source, ...(everything ? {} : { columns: carried }) });
    common.push({ from: source, to: target, columns: compared });
  }
  return { published, common, findings };
}

function conversion(from: Column, to: Column): 'fine' | 'may fail' | 'impossible' {
  if (from.type === to.type) return 'fine';
  const [left, right] = [from.baseType, to.baseType].map((type) => type.replace(/^pg_catalog\./, '')) as [
    string,
    string,
  ];
  const anyText = right === 'text' || right === 'varchar';
  if (left !== right && !anyText && !widening[left]?.includes(right)) {
    return widening[right]?.includes(left) || left === 'text' || left === 'varchar' || left === 'bpchar'
      ? 'may fail'
      : 'impossible';
  }
  return to.constrained || !holds(from.stored, to.stored, left === right) ? 'may fail' : 'fine';
}

/** Whether every value of `from` fits `to` without being cut or rounded, as far as their modifiers decide it. */
function holds(from: string, to: string, sameType: boolean): boolean {
  const [wide, scale] = modifiers(to);
  if (wide === undefined) return true;
  const [had, hadScale] = sameType ? modifiers(from) : [];
  if (had === undefined) return false;
  // numeric(p,s) has p - s digits before the point and s after it: both must not shrink.
  return to.startsWith('numeric')
    ? wide - (scale ?? 0) >= had - (hadScale ?? 0) && (scale ?? 0) >= (hadScale ?? 0)
    : wide >= had;
}

/** The numbers of `numeric(10,2)`; none where the type is unlimited. */
function modifiers(type: string): (number | undefined)[] {
  return /\(([\d,-]+)\)/.exec(type)?.[1]?.split(',').map(Number) ?? [];
}
