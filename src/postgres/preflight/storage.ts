import { count } from '../../model/count.ts';
import { label, qualified } from '../catalogue.ts';
import { rows, withFixedPath } from '../client.ts';
import { ident } from '../quote.ts';
import { everyGate, found, inOrder, type Check } from './check.ts';
import { userSchemas } from './tables.ts';

/** Objects of one finding that are named one by one; a database can hold millions of large objects. */
const namedAtMost = 1000;

/** pg_largeobject_metadata is readable by all. Docs: "Logical Replication / Restrictions". */
export const largeObjects: Check = {
  id: 'large-objects',
  hazards: [3],
  title: 'large objects',
  on: 'live',
  when: everyGate,
  findings: ['large-objects'],
  run: async (client) => {
    const some = await rows<{ oid: string; total: number }>(
      client,
      'SELECT oid::text, (count(*) OVER ())::float8 AS total FROM pg_largeobject_metadata ORDER BY pg_largeobject_metadata.oid LIMIT $1',
      [namedAtMost],
    );
    const total = some[0]?.total ?? 0;
    return found('large-objects', {
      title: `the database holds ${count(total, 'large object')}`,
      objects: [
        ...some.map(({ oid }) => `large object ${oid}`),
        ...(total > some.length ? [`and ${count(total - some.length, 'other')}`] : []),
      ],
      reason:
        'Logical replication does not carry large objects: what is written to them after the snapshot would be missing on the candidate.',
    });
  },
};

interface Unlogged {
  readonly schema: string;
  readonly name: string;
  readonly sequence: boolean;
  /** Number of unlogged tables that must be logged before this one: those that it references, and theirs. */
  readonly depth: number;
}

/** A foreign key of a circle of unlogged tables: none of them can be logged while it is there. */
interface Circle {
  readonly schema: string;
  readonly name: string;
  readonly constraint: string;
  readonly definition: string;
}

const circles = `
  WITH RECURSIVE edge AS (
    SELECT k.oid, k.conrelid AS here, k.confrelid AS there FROM pg_constraint k JOIN pg_class a ON a.oid = k.conrelid JOIN pg_class b ON b.oid = k.confrelid
    WHERE k.contype = 'f' AND k.conrelid <> k.confrelid AND a.relpersistence = 'u' AND b.relpersistence = 'u'),
  reach(here, there) AS (SELECT here, there FROM edge UNION SELECT reach.here, edge.there FROM reach JOIN edge ON edge.here = reach.there)
  SELECT n.nspname AS schema, c.relname AS name, k.conname AS constraint, pg_get_constraintdef(k.oid) AS definition
  FROM edge JOIN pg_constraint k ON k.oid = edge.oid JOIN pg_class c ON c.oid = edge.here JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE EXISTS (SELECT FROM reach WHERE reach.here = edge.there AND reach.there = edge.here)
  ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C", k.conname COLLATE "C"`;

/** In one transaction, so that no row gets in that the foreign key would have refused. */
function withoutCircles(found: readonly Circle[], log: readonly string[]): string[] {
  if (found.length === 0) return [...log];
  const alter = (foreignKey: Circle, what: string) => `ALTER TABLE ${qualified(foreignKey)} ${what};`;
  return [
    'BEGIN;',
    ...found.map((each) => alter(each, `DROP CONSTRAINT ${ident(each.constraint)}`)),
    ...log,
    ...found.map((each) => alter(each, `ADD CONSTRAINT ${ident(each.constraint)} ${each.definition}`)),
    'COMMIT;',
  ];
}

/**
 * SET LOGGED takes a table's own sequences along; a table cannot be logged before those that it references, hence the
 * order. Docs: CREATE TABLE, UNLOGGED; ALTER TABLE, SET LOGGED.
 */
export const unloggedTables: Check = {
  id: 'unlogged-tables',
  hazards: [4],
  title: 'unlogged tables and sequences',
  on: 'live',
  when: everyGate,
  findings: ['unlogged-tables'],
  run: async (client, { oneSided = [] }) => {
    const everywhere = await rows<Unlogged>(
      client,
      `
      WITH RECURSIVE chain(oid, depth, path) AS (
        SELECT c.oid, 0, ARRAY[c.oid] FROM pg_class c WHERE c.relpersistence = 'u' AND c.relkind = 'r'
        UNION ALL
        SELECT k.conrelid, chain.depth + 1, chain.path || k.conrelid FROM chain
          JOIN pg_constraint k ON k.confrelid = chain.oid AND k.contype = 'f' WHERE k.conrelid <> ALL (chain.path))
      SELECT n.nspname AS schema, c.relname AS name, c.relkind = 'S' AS sequence, coalesce((SELECT max(depth) FROM chain WHERE chain.oid = c.oid), 0) AS depth
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relpersistence = 'u' AND c.relkind IN ('r', 'S') AND ${userSchemas} AND NOT (c.relkind = 'S' AND EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
          AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')))
      ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`,
    );
    const unlogged = everywhere.filter((relation) => !oneSided.includes(qualified(relation)));
    return found('unlogged-tables', {
      objects: unlogged.map(label),
      reason:
        'Their content is not in the WAL: recovery from the snapshot empties them on the candidate, and publications leave them out.',
      fix: inOrder(
        withoutCircles(
          await withFixedPath(client, () => rows<Circle>(client, circles)),
          unlogged
            .toSorted((a, b) => a.depth - b.depth)
            .map((relation) => `ALTER ${relation.sequence ? 'SEQUENCE' : 'TABLE'} ${qualified(relation)} SET LOGGED;`),
        ),
      ),
    });
  },
};

/**
 * A tablespace made in place (allow_in_place_tablespaces) lies in the data directory, and says so by a relative path.
 */
export const tablespaces: Check = {
  id: 'tablespaces',
  hazards: [39],
  title: 'tablespaces',
  on: 'live',
  when: ['seed'],
  findings: ['tablespaces'],
  run: async (client, facts) => {
    const spaces =
      facts.groupSnapshot === true || facts.byRows === true
        ? []
        : await rows<{ name: string; location: string; here: boolean; others: string[] }>(
            client,
            `
      SELECT t.spcname AS name, pg_tablespace_location(t.oid) AS location,
        EXISTS (SELECT FROM pg_class c WHERE c.reltablespace = t.oid) AS here,
        coalesce((SELECT json_agg(d.datname ORDER BY d.datname) FROM pg_tablespace_databases(t.oid) AS u(oid)
          JOIN pg_database d ON d.oid = u.oid WHERE d.datname <> current_database()), '[]') AS others
      FROM pg_tablespace t WHERE pg_tablespace_location(t.oid) LIKE '/%' ORDER BY t.spcname COLLATE "C"`,
          );
    return found('tablespaces', {
      objects: spaces.map(
        ({ name, location, others }) =>
          `${name} at ${location}${others.length > 0 ? `, also used by ${others.join(', ')}` : ''}`,
      ),
      reason:
        'Snapshots of two volumes are taken at two instants: the copy would be torn. On one machine the copy would even write into the live files.',
      fix: inOrder(
        spaces.flatMap(({ name, here, others }) => [
          ...(here
            ? ['TABLE', 'INDEX', 'MATERIALIZED VIEW'].map(
                (kind) => `ALTER ${kind} ALL IN TABLESPACE ${ident(name)} SET TABLESPACE pg_default;`,
              )
            : []),
          ...others.map((database) => `-- and the same in database ${database}`),
          `DROP TABLESPACE ${ident(name)};`,
        ]),
      ),
    });
  },
};

/** From the platform: SQL cannot tell where pg_wal points to. */
export const walVolume: Check = {
  id: 'wal-volume',
  hazards: [39],
  title: 'place of the write-ahead log',
  on: 'live',
  when: ['seed'],
  findings: ['wal-volume'],
  run: async (_client, { walOnOtherVolume, groupSnapshot }) =>
    found('wal-volume', {
      objects: walOnOtherVolume === true && groupSnapshot !== true ? ['pg_wal'] : [],
      reason:
        'Snapshots of two volumes are taken at two instants: the copy could miss the log it needs to become consistent.',
    }),
};
