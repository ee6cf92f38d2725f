import { label, type Table } from '../../postgres/catalogue.ts';
import type { PlaceNote, Place } from './note.ts';
import type { DataStatement, Relation, Target } from './read.ts';

export interface Judged {
  readonly place: Place;
  /** Tables of the live colour whose rows it writes, as far as that shows, as `schema.table`. */
  readonly tables: readonly string[];
  readonly why: string;
}

/**
 * Where a statement runs, by what it writes: what the live colour has not, on the candidate; rows that both colours have, at the
 * switchover, because replication sends the live colour's whole rows over what was written to the candidate before. A note decides
 * otherwise. `held`: tables that earlier statements will write at the switchover; what rests on them waits with them.
 */
export function judge(
  statement: DataStatement,
  note: PlaceNote | undefined,
  live: readonly Table[],
  held: ReadonlySet<string> = new Set(),
): Judged {
  const tables = [...new Set(statement.targets.flatMap((target) => common(target, live)))];
  if (note) return { place: note.place, tables, why: `by its note: ${note.reason}` };
  if (tables.length > 0) return { place: 'switch', tables, why: 'it writes rows that both colours have' };
  const needed = [...statement.targets, ...statement.reads].flatMap((relation) =>
    [...held].filter((name) => fits(relation, name)),
  );
  if (needed.length > 0)
    return { place: 'switch', tables, why: `it needs ${needed.join(', ')}, which is written at the switchover` };
  return { place: 'candidate', tables, why: 'it writes what the live colour does not have' };
}

/** The table of the live colour, unless only columns are set that it does not have there. */
function common(target: Target, live: readonly Table[]): string[] {
  return live
    .filter((table) => fits(target, label(table)))
    .filter(({ columns }) => !(target.columns?.every((set) => !columns.some(({ name }) => name === set)) ?? false))
    .map(label);
}

/** Without a schema any of that name: which one search_path finds, the server alone knows. */
export function fits({ schema, name }: Relation, table: string): boolean {
  return schema === undefined ? table.endsWith(`.${name}`) : table === `${schema}.${name}`;
}
