/** A sequence by its name and by the columns that it is for, as `forColumns` reads them. */
export interface ForColumns {
  /** Quoted, with its schema. */
  readonly sequence: string;
  /** Columns that take their value from it: as their identity, or by their default. */
  readonly fills: readonly string[];
  /** The column that it goes with. */
  readonly owner: string | null;
  /** The same where one was copied from the other with its server's files. */
  readonly object: string;
}

const column = `format('%I.%I.%I', tn.nspname, t.relname, a.attname)`;
const relations = `JOIN pg_class t ON t.oid = o.rel JOIN pg_namespace tn ON tn.oid = t.relnamespace
  JOIN pg_attribute a ON a.attrelid = o.rel AND a.attnum = o.num`;
const ofColumns = "d.refclassid = 'pg_class'::regclass";

/**
 * To be selected beside a sequence `c` of pg_class. A default may name any sequence: it says something only where the
 * table's owner may draw numbers from it, or anybody who may create a table could have one sequence moved by another.
 */
export const forColumns = `
  (SELECT system_identifier FROM pg_control_system()) || '/' || c.oid AS object,
  ARRAY(SELECT ${column} FROM (
    SELECT d.refobjid AS rel, d.refobjsubid AS num FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND ${ofColumns} AND d.deptype = 'i'
    UNION SELECT f.adrelid, f.adnum FROM pg_depend d JOIN pg_attrdef f ON f.oid = d.objid JOIN pg_class own ON own.oid = f.adrelid
      WHERE d.classid = 'pg_attrdef'::regclass AND ${ofColumns} AND d.refobjid = c.oid
        AND has_sequence_privilege(own.relowner, c.oid, 'USAGE, UPDATE')) o ${relations}) AS fills,
  (SELECT ${column} FROM (
    SELECT d.refobjid AS rel, d.refobjsubid AS num FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND ${ofColumns} AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
    LIMIT 1) o ${relations}) AS owner`;

/**
 * For each sequence of `to`, those of `from` whose numbers it continues: the one of its name, and whatever filled a
 * column that it fills now, as after a RENAME or where a serial column became an identity. That a column owns both says
 * less, for a sequence may be owned only to go with a table: it counts where a name is gone and nothing else is known.
 * One that is beside no column, by itself where both are copies of one volume and it has another name there.
 */
export function continuing<F extends ForColumns, T extends ForColumns>(
  from: readonly F[],
  to: readonly T[],
): { readonly own: T; readonly before: readonly F[] }[] {
  const names = new Set(to.map(({ sequence }) => sequence));
  const named = new Map(from.map((each) => [each.sequence, each]));
  const [filling, owned] = [new Map<string, F[]>(), new Map<string, F[]>()];
  const renamed = new Map(from.flatMap((each) => (names.has(each.sequence) ? [] : [[each.object, each]])));
  const add = (map: Map<string, F[]>, key: string, each: F) => map.set(key, [...(map.get(key) ?? []), each]);
  for (const each of from) {
    for (const filled of each.fills) add(filling, filled, each);
    if (each.owner !== null && !names.has(each.sequence)) add(owned, each.owner, each);
  }
  return to.map((own) => {
    const same = named.get(own.sequence);
    const others = own.fills.filter((filled) => same?.fills.includes(filled) !== true);
    const found = new Set([...(same ? [same] : []), ...others.flatMap((filled) => filling.get(filled) ?? [])]);
    if (found.size > 0) return { own, before: [...found] };
    if (own.owner !== null) return { own, before: owned.get(own.owner) ?? [] };
    const itself = own.fills.length === 0 ? renamed.get(own.object) : undefined;
    return { own, before: itself ? [itself] : [] };
  });
}
