import type { Client } from '../client.ts';
import { byHash, relationRow, type Glance } from '../seal/glance.ts';
import { classOf, edgesOfPart, oidOf, type ObjectKey } from './graph.ts';
import { ofObjects } from './lens.ts';

/** Catalogues whose rows are objects, which `ofObjects` are not. */
const ofTheirs = ['pg_amop', 'pg_amproc', 'pg_attrdef', 'pg_constraint', 'pg_policy', 'pg_rewrite', 'pg_trigger'];

/** Catalogues whose rows are of an object of another one, and the column that names it. */
const of = [
  ['pg_class', 'pg_attribute', 'attrelid'],
  ['pg_class', 'pg_index', 'indrelid'],
  ['pg_class', 'pg_inherits', 'inhrelid'],
  ['pg_class', 'pg_partitioned_table', 'partrelid'],
  ['pg_class', 'pg_sequence', 'seqrelid'],
  ['pg_proc', 'pg_aggregate', 'aggfnoid'],
  ['pg_ts_config', 'pg_ts_config_map', 'mapcfg'],
  ['pg_type', 'pg_enum', 'enumtypid'],
  ['pg_type', 'pg_range', 'rngtypid'],
] as const;

const look = (name: string, condition: string, row = 'ROW(x.xmin, x.ctid)'): string => `
  SELECT '${name}' AS catalogue, count(*) || ' ' || ${byHash(row)} AS digest FROM part JOIN ONLY pg_catalog.${name} x ON ${condition}`;

/** What PostgreSQL itself has, as the schema public, the lens shows too; it is in no dependency. */
const ofPostgres = (name: string): string => `
  SELECT 'PostgreSQL: ${name}' AS catalogue, ${byHash('ROW(x.xmin, x.ctid)')}::text AS digest FROM ONLY pg_catalog.${name} x WHERE x.oid < 16384`;

const its = (catalogue: string, column: string): string =>
  `class = 'pg_catalog.${catalogue}'::regclass AND x.${column} = id`;

const text = `WITH RECURSIVE ${edgesOfPart}
  ${[
    "SELECT 'pg_depend' AS catalogue, count(*) || ' ' || " + byHash('edges') + ' AS digest FROM edges',
    ...[...ofObjects, ...ofTheirs].map((name) =>
      look(name, its(name, 'oid'), name === 'pg_class' ? relationRow : undefined),
    ),
    ...ofObjects.map(ofPostgres),
    ...of.map(([catalogue, name, column]) => look(name, its(catalogue, column))),
    ...['pg_description', 'pg_seclabel'].map((name) => look(name, 'x.classoid = class AND x.objoid = id')),
  ].join(' UNION ALL ')}`;

/**
 * As `glance`, at what is of a part and at what PostgreSQL itself has: it takes as long as the part is large, and others
 * change the rest. A new need of the part's, or a new object that needs it, is among the dependencies of its objects.
 */
export async function glanceAtPart(client: Client, carried: ReadonlySet<ObjectKey>): Promise<Glance> {
  const keys = [...carried];
  const values = [keys.map(classOf), keys.map(oidOf)];
  const { rows } = await client.query<{ catalogue: string; digest: string }>({ name: 'verdigris-part', text, values });
  const catalogues = new Map(rows.map(({ catalogue, digest }) => [catalogue, digest]));
  return { since: '', catalogues, lasting: catalogues, relations: catalogues.get('pg_class') ?? '' };
}
