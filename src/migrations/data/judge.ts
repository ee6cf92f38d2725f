import { label, type Table } from '../../postgres/catalogue.ts';
import type { ViewTables } from '../../postgres/row-reads.ts';
import type { PlaceNote, StatementPlace } from './note.ts';
import type { DataStatement, NamedRelation, WriteTarget } from './read.ts';

export interface Judged {
  readonly place: StatementPlace;
  /** Tables of the live colour whose rows it writes, as far as that shows, as `schema.table`. */
  readonly tables: readonly string[];
  readonly why: string;
}

/**
 * Where a statement runs, by what it writes and needs: what the live colour has not, on the candidate; rows that both
 * colours have, at the switchover, because replication sends the live colour's whole rows over what was written to the
 * candidate before; what is made of such rows too, because the live colour goes on writing them. A note decides
 * otherwise. `held`: tables that earlier statements will write at the switchover; what rests on them waits with them.
 */
export function judgeStatement(
  statement: DataStatement,
  note: PlaceNote | undefined,
  live: readonly Table[],
  held: ReadonlySet<string> = new Set(),
): Judged {
  const tables = [...new Set(statement.targets.flatMap((target) => common(target, live)))];
  if (note) return { place: note.place, tables, why: `by its note: ${note.reason}` };
  if (tables.length > 0) return { place: 'switch', tables, why: 'it writes rows that both colours have' };
  if (statement.fillsSession)
    return { place: 'candidate', tables, why: "it writes what its file's session has for itself" };
  const needed = [...statement.targets, ...statement.reads].flatMap((relation) =>
    [...held].filter((name) => fits(relation, name)),
  );
  if (needed.length > 0)
    return { place: 'switch', tables, why: `it needs ${needed.join(', ')}, which is written at the switchover` };
  const rested = restsOnLive(statement, live);
  if (rested !== undefined)
    return { place: 'switch', tables, why: `it needs the rows of ${rested}, which the live colour still writes` };
  return {
    place: 'candidate',
    tables,
    why: statement.fill
      ? 'it fills what the live colour does not have; rows that arrive are filled on their way in'
      : 'it writes what the live colour does not have',
  };
}

/**
 * A table of the live colour that what is new is filled from: rows that are written there until the switchover would be
 * missing. What is filled from its own row alone is filled when it arrives. Of a call it is not known before it runs.
 */
function restsOnLive(statement: DataStatement, live: readonly Table[]): string | undefined {
  if (statement.fill || (statement.opaque && statement.targets.length === 0)) return undefined;
  return liveAmong([...statement.reads, ...statement.targets.filter(({ columns }) => columns !== undefined)], live);
}

/** The first of the live colour's tables that is one of these. */
export function liveAmong(relations: readonly NamedRelation[], live: readonly Table[]): string | undefined {
  const found = live.find((table) => relations.some((relation) => fits(relation, label(table))));
  return found && label(found);
}

/** It makes no rows: the table that they would be made with is one of the live colour's. */
export function isThere({ onlyIfNew }: DataStatement, live: readonly Table[]): boolean {
  return onlyIfNew !== undefined && live.some((table) => fits(onlyIfNew, label(table)));
}

/** What it writes and reads by a view are the view's tables. */
export function throughViews(statement: DataStatement, views: readonly ViewTables[]): DataStatement {
  const used = (relation: NamedRelation): NamedRelation[] =>
    views
      .filter(({ view }) => fits(relation, view))
      .flatMap(({ tables }) => tables)
      .map((table) => ({ schema: table.slice(0, table.indexOf('.')), name: table.slice(table.indexOf('.') + 1) }));
  return {
    ...statement,
    targets: [...statement.targets, ...statement.targets.flatMap(used)],
    reads: [...statement.reads, ...statement.reads.flatMap(used)],
  };
}

/** The table of the live colour, unless only columns are set that it does not have there. */
function common(target: WriteTarget, live: readonly Table[]): string[] {
  return live
    .filter((table) => fits(target, label(table)))
    .filter(({ columns }) => !(target.columns?.every((set) => !columns.some(({ name }) => name === set)) ?? false))
    .map(label);
}

/** Without a schema any of that name: which one search_path finds, the server alone knows. */
export function fits({ schema, name }: NamedRelation, table: string): boolean {
  return schema === undefined ? table.endsWith(`.${name}`) : table === `${schema}.${name}`;
}
