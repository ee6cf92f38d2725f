import { one, rows, type Client } from '../client.ts';

type Digests = ReadonlyMap<string, string>;

/** What a look at the catalogues saw, to be compared with a later one. */
export interface Glance {
  /**
   * The oldest transaction that was open at the first look: whoever changes something later has this number or a higher
   * one.
   */
  readonly since: string;
  /** `catalogue → number of its rows and digest of those written since`. */
  readonly catalogues: Digests;
  /** The same without rows that belong to one session alone; at a later look of those catalogues alone that differ. */
  readonly lasting: Digests;
  /** Of pg_class by what DDL can set. */
  readonly relations: string;
}

/** Not a part of any shape, or carried by the switchover itself, which changes them: roles are closed by the fence. */
const without = [
  'pg_statistic',
  'pg_statistic_ext_data',
  'pg_authid',
  'pg_database',
  'pg_auth_members',
  'pg_db_role_setting',
  'pg_user_mapping',
  'pg_replication_origin',
  'pg_shdepend',
  'pg_largeobject',
];

/** The column that names a row's relation: those of temporary ones come and go with any session. */
const relationOf: Readonly<Record<string, string>> = {
  pg_attrdef: 'adrelid',
  pg_attribute: 'attrelid',
  pg_constraint: 'conrelid',
  pg_depend: 'objid',
  pg_description: 'objoid',
  pg_index: 'indrelid',
  pg_inherits: 'inhrelid',
  pg_partitioned_table: 'partrelid',
  pg_policy: 'polrelid',
  pg_rewrite: 'ev_class',
  pg_sequence: 'seqrelid',
  pg_statistic_ext: 'stxrelid',
  pg_trigger: 'tgrelid',
};

/**
 * What DDL can set of a relation `x`. TRUNCATE, REFRESH and VACUUM FULL give it another file and change nothing else;
 * only of a partition does that count, whose TRUNCATE its root's publication does not carry.
 */
export const relationRow = `ROW(x.oid, x.relname, x.relnamespace, x.relowner, x.reloftype, x.relam,
    x.reltablespace, x.relkind, x.relpersistence, x.relnatts, x.relrowsecurity, x.relforcerowsecurity, x.relispopulated, x.relreplident, x.relacl,
    x.reloptions, x.relpartbound::text, CASE WHEN x.relispartition AND x.relkind = 'r' THEN x.relfilenode END)`;

const relations = (digest: Digest) => `
  SELECT count(*) || ' ' || ${digest(relationRow)} AS digest FROM ONLY pg_catalog.pg_class x WHERE x.relpersistence <> 't'`;

/** Of all rows, in no order. */
type Digest = (row: string, filter?: string) => string;

export const byHash: Digest = (row, filter = '') => `coalesce(bit_xor(hash_record_extended(${row}, 0))${filter}, 0)`;

/** Before PostgreSQL 14 no row has a hash. */
const byText: Digest = (row, filter = '') =>
  `coalesce(md5(string_agg((${row})::text, ' ' ORDER BY (${row})::text COLLATE "C")${filter}), '')`;

const ofLastingTypes = 'NOT IN (SELECT y.oid FROM temporary_type y)';

const narrowed: Readonly<Record<string, string>> = {
  /** DEPENDS ON EXTENSION, membership of one, and who owns a sequence: the rest follows from other catalogues. */
  pg_depend: `x.deptype IN ('e', 'x', 'a') AND (x.deptype <> 'a' OR x.refobjsubid > 0)
    AND x.refobjid NOT IN (SELECT f.oid FROM fleeting f)`,
  pg_namespace: "x.nspname !~ '^pg_(toast_)?temp_'",
  pg_cast: `x.castsource ${ofLastingTypes}`,
  pg_enum: `x.enumtypid ${ofLastingTypes}`,
  pg_range: `x.rngtypid ${ofLastingTypes}`,
};

/**
 * Looks at every catalogue there is, save those above. A row is known by the transaction that wrote it and its place: a
 * change makes another row, one taken away changes their number, statistics are written in place, and VACUUM moves
 * nothing. With `before` only what was written since is looked at closely: sessions' own temporary objects are told from
 * the rest, which takes a third of the time more, only in catalogues that differ, and relations only where pg_class does.
 * @returns what `movedCatalogues` compares; equal means that no DDL was committed in between.
 */
export async function glance(client: Client, before?: Glance): Promise<Glance> {
  const since =
    before?.since ??
    (await one<{ since: string }>(client, 'SELECT pg_snapshot_xmin(pg_current_snapshot())::xid::text AS since')).since;
  const { whole, lasting } = await statements(client, since);
  // Planned once: under the fence the plan is there already.
  const catalogues = digests(await client.query<Row>({ name: `verdigris-seal-${since}`, text: whole }));
  const differing = [...catalogues.keys()].filter((name) => before?.catalogues.get(name) !== catalogues.get(name));
  const closely =
    differing.length > 0 ? digests(await client.query<Row>(lasting(differing))) : new Map<string, string>();
  const same = before !== undefined && !differs(before, { catalogues, lasting: closely }, 'pg_class');
  return {
    since,
    catalogues,
    lasting: closely,
    relations: same
      ? before.relations
      : (await one<{ digest: string }>(client, relations(await digestOf(client)))).digest,
  };
}

type Looked = Pick<Glance, 'catalogues' | 'lasting'>;

function differs(before: Looked, after: Looked, catalogue: string): boolean {
  return (
    before.catalogues.get(catalogue) !== after.catalogues.get(catalogue) &&
    before.lasting.get(catalogue) !== after.lasting.get(catalogue)
  );
}

/** Catalogues whose rows differ. */
export function movedCatalogues(before: Glance, after: Glance): string[] {
  return [...before.catalogues.keys()].filter((catalogue) =>
    catalogue === 'pg_class' ? before.relations !== after.relations : differs(before, after, catalogue),
  );
}

async function digestOf(client: Client): Promise<Digest> {
  const { hashes } = await one<{ hashes: boolean }>(
    client,
    "SELECT current_setting('server_version_num')::int >= 140000 AS hashes",
  );
  return hashes ? byHash : byText;
}

interface Catalogue {
  readonly name: string;
  /** The column that says in which schema a row's object is. */
  readonly namespace: string | null;
}

interface Row {
  readonly catalogue: string;
  readonly digest: string;
}

const digests = (result: { readonly rows: readonly Row[] }): Digests =>
  new Map(result.rows.map(({ catalogue, digest }) => [catalogue, digest]));

interface Statements {
  readonly since: string;
  readonly whole: string;
  /** Of these catalogues, without what belongs to one session alone. */
  readonly lasting: (names: readonly string[]) => string;
}

const known = new WeakMap<Client, Statements>();

async function statements(client: Client, since: string): Promise<Statements> {
  const before = known.get(client);
  if (before?.since === since) return before;
  const catalogues = await rows<Catalogue>(
    client,
    `SELECT relname AS name, (SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
        AND a.atttypid = 'oid'::regtype AND a.attname ~ '^[a-z]+namespace$') AS namespace
      FROM pg_catalog.pg_class c WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r' AND oid < 16384 AND
        relname <> ALL ($1) AND has_table_privilege(oid, 'SELECT') ORDER BY 1`,
    [without],
  );
  const digest = await digestOf(client);
  const visible = catalogues.some(({ name }) => name === 'pg_subscription') ? [] : [visibleSubscriptions(digest)];
  const look = ({ name }: Catalogue, where = ''): string => `SELECT '${name}' AS catalogue, count(*) || ' '
      || ${digest('ROW(x.xmin, x.ctid)', ` FILTER (WHERE age(x.xmin) <= (SELECT age('${since}'::xid)))`)} AS digest
    FROM ONLY pg_catalog.${name} x${where}`;
  const made = {
    since,
    whole: [...catalogues.map((catalogue) => look(catalogue)), ...visible].join('\nUNION ALL\n'),
    lasting: (names: readonly string[]) =>
      temporary +
      [
        ...catalogues.filter(({ name }) => names.includes(name)).map((each) => look(each, ofNoSession(each))),
        ...(names.includes('pg_subscription') ? visible : []),
      ].join('\nUNION ALL\n'),
  };
  known.set(client, made);
  return made;
}

/** Only a superuser sees the whole catalogue, which holds passwords, and with it who wrote a row. */
const visibleSubscriptions = (digest: Digest) => `SELECT 'pg_subscription' AS catalogue, count(*) || ' '
    || ${digest('ROW(x.oid, x.subname, x.subowner, x.subenabled, x.subslotname, x.subpublications)')} AS digest
  FROM pg_catalog.pg_subscription x`;

const temporary = `WITH fleeting AS MATERIALIZED (SELECT oid FROM ONLY pg_catalog.pg_class WHERE relpersistence = 't'),
    temporary AS MATERIALIZED (SELECT oid FROM ONLY pg_catalog.pg_namespace WHERE nspname ~ '^pg_(toast_)?temp_'),
    temporary_type AS MATERIALIZED (SELECT oid FROM ONLY pg_catalog.pg_type WHERE typnamespace IN (SELECT s.oid FROM temporary s))
    `;

/** A session's own functions, types and domains come and go with it, and the fence ends sessions. */
function ofNoSession({ name, namespace }: Catalogue): string {
  const relation = relationOf[name];
  const conditions = [
    narrowed[name],
    relation && `x.${relation} NOT IN (SELECT f.oid FROM fleeting f)`,
    namespace === null ? undefined : `x.${namespace} NOT IN (SELECT s.oid FROM temporary s)`,
  ].filter((condition) => condition !== undefined);
  return conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : '';
}
