import { finding, type Finding } from '../model/finding.ts';
import { label, type Table } from './catalogue.ts';
import { mapColumns } from './map-columns.ts';
import { columnsNotCarried, MappingFindings, type MappingDirection } from './mapping-findings.ts';
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
 * Derives the column lists of a publication from both catalogues. Objects are matched by oid and attribute number where
 * the two are copies of one volume, so that a rename shows as one, and by name otherwise. `direction` colours the
 * words: what cannot go forward stops the release, what cannot go back takes the lossless rollback away.
 */
export function mapTables(from: readonly Table[], to: readonly Table[], direction: MappingDirection): Mapping {
  const said = new MappingFindings(direction);
  const published: PublishedTable[] = [];
  const common: { from: Table; to: Table; columns: readonly string[] }[] = [];
  const there = new Map(to.map((table) => [label(table), table]));
  const copies = from.some((table) => there.get(label(table))?.oid === table.oid);
  for (const source of from) {
    const target = there.get(label(source));
    if (!target) {
      sayGone(source, to, said);
      continue;
    }
    if (copies) sayRemade(source, target, said);
    sayIdentity(source, target, said);
    const { carried, compared, lost } = mapColumns(source, target, said);
    sayStricter(source, target, said);
    sayLost(source, lost, said);
    const everything = source.columns.filter(({ generated }) => !generated).length === carried.length;
    published.push({ table: source, ...(everything ? {} : { columns: carried }) });
    common.push({ from: source, to: target, columns: compared });
  }
  return { published, common, findings: said.findings };
}

function sayGone(source: Table, to: readonly Table[], { direction, refuse, warn }: MappingFindings): void {
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
}

function sayRemade(source: Table, target: Table, { direction, refuse }: MappingFindings): void {
  if (target.oid !== source.oid && direction === 'forward')
    refuse(
      'table-remade',
      `${label(source)} was made again under its name`,
      [label(source)],
      `Change ${label(source)} in place (ALTER TABLE); or make the new table beside it under another name, and leave the old one to the release after.`,
    );
}

function sayIdentity(source: Table, target: Table, { direction, refuse, findings }: MappingFindings): void {
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
}

/** What the other side demands of rows that this one writes. */
function sayStricter(source: Table, target: Table, { cost, refuse, warn }: MappingFindings): void {
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
}

function sayLost(source: Table, lost: readonly string[], { direction, refuse, findings }: MappingFindings): void {
  if (lost.length > 0) findings.push(columnsNotCarried(source, lost, direction));
  if (source.replicaIdentity === 'full' && lost.length > 0)
    refuse(
      'full-identity-with-list',
      `${label(source)} has REPLICA IDENTITY FULL and columns that the other side lacks`,
      [label(source)],
      `Give ${label(source)} a primary key: a column list must hold the whole identity.`,
    );
}
