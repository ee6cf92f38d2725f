import { rows, type Client } from '../client.ts';

/** An object by its catalogue and OID there. */
export type ObjectKey = `${number}:${number}`;

/** OIDs of catalogues; they are the same in every major (catalog/*.h). */
export const catalogue = {
  type: 1247,
  function: 1255,
  relation: 1259,
  default: 2604,
  constraint: 2606,
  rule: 2618,
  extension: 3079,
  publicationTable: 6106,
  publicationSchema: 6237,
} as const;

export function classOf(key: ObjectKey): number {
  return Number(key.slice(0, key.indexOf(':')));
}

export function oidOf(key: ObjectKey): number {
  return Number(key.slice(key.indexOf(':') + 1));
}

/** A row of pg_depend between two objects that somebody has made. */
export interface Edge {
  readonly from: ObjectKey;
  readonly to: ObjectKey;
  /** Of a column where it is above 0. */
  readonly fromColumn: number;
  /** pg_depend.deptype. */
  readonly kind: string;
}

export interface Graph {
  /** What each object needs. */
  readonly needs: ReadonlyMap<ObjectKey, readonly Edge[]>;
  /** What depends on each. */
  readonly dependents: ReadonlyMap<ObjectKey, readonly Edge[]>;
  /** Kind of each relation, as pg_class.relkind. */
  readonly kinds: ReadonlyMap<ObjectKey, string>;
}

/** Name of the triggers that keep writers from the tables of a part: they come and go with a switchover. */
export const fenceTrigger = 'verdigris_fence';

/** All dependencies of the database, in one look, but for what sessions have in their temporary schemas. */
export async function readGraph(client: Client): Promise<Graph> {
  const edges = await rows<Edge>(
    client,
    `WITH RECURSIVE fleeting(classid, objid) AS (
      SELECT 'pg_namespace'::regclass::oid, oid FROM ONLY pg_catalog.pg_namespace WHERE nspname ~ '^pg_(toast_)?temp_'
      UNION SELECT d.classid, d.objid FROM pg_catalog.pg_depend d JOIN fleeting f ON f.classid = d.refclassid AND f.objid = d.refobjid)
    SELECT classid || ':' || objid AS "from", refclassid || ':' || refobjid AS "to", objsubid AS "fromColumn", deptype AS kind
    FROM pg_catalog.pg_depend WHERE objid >= 16384 AND refobjid >= 16384
      AND (classid, objid) NOT IN (SELECT classid, objid FROM fleeting)
      AND NOT (classid = 'pg_trigger'::regclass AND objid IN (SELECT oid FROM ONLY pg_catalog.pg_trigger WHERE tgname = $1))`,
    [fenceTrigger],
  );
  const kinds = await rows<{ oid: string; kind: string }>(
    client,
    'SELECT oid::text, relkind AS kind FROM ONLY pg_catalog.pg_class WHERE oid >= 16384',
  );
  return graphOf(
    edges,
    kinds.map(({ oid, kind }) => [`${catalogue.relation}:${Number(oid)}`, kind]),
  );
}

export function graphOf(edges: readonly Edge[], kinds: readonly (readonly [ObjectKey, string])[]): Graph {
  return {
    needs: Map.groupBy(edges, (edge) => edge.from),
    dependents: Map.groupBy(edges, (edge) => edge.to),
    kinds: new Map(kinds),
  };
}
