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

/** Of a row of pg_trigger: a table's owner can give one of his own the same name, not the same function. */
export function isFence(alias: string): string {
  return `${alias}.tgname = '${fenceTrigger}' AND ${alias}.tgfoid IN (
    SELECT f.oid FROM ONLY pg_catalog.pg_proc f JOIN pg_catalog.pg_roles o ON o.oid = f.proowner
    WHERE f.pronamespace = to_regnamespace('verdigris_fence') AND o.rolsuper)`;
}

const fleeting = `fleeting(classid, objid) AS (
    SELECT 'pg_namespace'::regclass::oid, oid FROM ONLY pg_catalog.pg_namespace WHERE nspname ~ '^pg_(toast_)?temp_'
    UNION SELECT d.classid, d.objid FROM pg_catalog.pg_depend d JOIN fleeting f ON f.classid = d.refclassid AND f.objid = d.refobjid)`;

const made = `d.objid >= 16384 AND d.refobjid >= 16384 AND (d.classid, d.objid) NOT IN (SELECT classid, objid FROM fleeting)
    AND NOT (d.classid = 'pg_trigger'::regclass AND d.objid IN (SELECT g.oid FROM ONLY pg_catalog.pg_trigger g WHERE ${isFence('g')}))`;

/** All dependencies of the database, in one look, but for what sessions have in their temporary schemas. */
export async function readGraph(client: Client): Promise<Graph> {
  const edges = await rows<Edge>(
    client,
    `WITH RECURSIVE ${fleeting}
    SELECT d.classid || ':' || d.objid AS "from", d.refclassid || ':' || d.refobjid AS "to", d.objsubid AS "fromColumn", d.deptype AS kind
    FROM pg_catalog.pg_depend d WHERE ${made}`,
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

/** `part`: objects by their catalogues $1 and OIDs $2; `edges`: the dependencies that these have on either side. */
export const edgesOfPart = `${fleeting}, part AS MATERIALIZED (SELECT * FROM unnest($1::oid[], $2::oid[]) AS k(class, id)),
  edges AS (
    SELECT d.* FROM part JOIN pg_catalog.pg_depend d ON d.classid = class AND d.objid = id WHERE ${made}
    UNION SELECT d.* FROM part JOIN pg_catalog.pg_depend d ON d.refclassid = class AND d.refobjid = id WHERE ${made})`;
