import { qualified } from '../catalogue.ts';
import { rows } from '../client.ts';
import { ident } from '../quote.ts';
import { looksMutable } from './bodies.ts';
import { everyGate, found, inOrder, type Check } from './check.ts';
import { userSchemas } from './tables.ts';

interface Generated {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  readonly expression: string;
  readonly functions: readonly { readonly name: string; readonly body: string }[];
}

const full = ({ schema, table, column }: Pick<Generated, 'schema' | 'table' | 'column'>) =>
  `${schema}.${table}.${column}`;

/** PostgreSQL believes IMMUTABLE; the bodies of the user's own functions are read. Docs: "Generated Columns". */
export const generatedColumns: Check = {
  id: 'generated-columns',
  hazards: [10],
  title: 'generated columns',
  on: 'live',
  when: ['seed', 'migrate'],
  findings: ['generated-columns', 'generated-column-mutable'],
  run: async (client) => {
    const all = await rows<Generated>(
      client,
      `
      SELECT n.nspname AS schema, c.relname AS table, a.attname AS column, pg_get_expr(d.adbin, d.adrelid) AS expression,
        coalesce((SELECT json_agg(json_build_object('name', p.oid::regprocedure::text, 'body',
          coalesce(pg_get_function_sqlbody(p.oid), p.prosrc)) ORDER BY p.oid::regprocedure::text) FROM pg_depend u
            JOIN pg_proc p ON p.oid = u.refobjid JOIN pg_language l ON l.oid = p.prolang
          WHERE u.classid = 'pg_attrdef'::regclass AND u.objid = d.oid AND u.refclassid = 'pg_proc'::regclass
          AND l.lanname NOT IN ('internal', 'c')), '[]') AS functions
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
      WHERE a.attgenerated <> '' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' AND ${userSchemas}
      ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C", a.attnum`,
    );
    const suspect = all
      .map((column) => ({ column, functions: column.functions.filter(({ body }) => looksMutable(body)) }))
      .filter(({ functions }) => functions.length > 0);
    return [
      ...found('generated-column-mutable', {
        objects: suspect.map(
          ({ column, functions }) => `${full(column)} by ${functions.map(({ name }) => name).join(', ')}`,
        ),
        reason:
          'Each colour computes these columns by itself: a time, a setting or a table gives another value there, and verify finds the rows unequal.',
        fix: inOrder([
          '-- makes it an ordinary column, which is replicated and which clients or a trigger must fill:',
          ...suspect.map(
            ({ column }) =>
              `ALTER TABLE ${qualified({ schema: column.schema, name: column.table })} ALTER COLUMN ${ident(column.column)} DROP EXPRESSION;`,
          ),
        ]),
      }),
      ...found('generated-columns', {
        objects: all.map((column) => `${full(column)}: ${column.expression}`),
        reason:
          'They are not replicated: the candidate computes them with its own expression, and verify compares the results.',
      }),
    ];
  },
};

/** Column types that pg_upgrade refuses because they hold OIDs that it does not keep. Docs: pg_upgrade, Limitations. */
const notUpgraded = [
  'regcollation',
  'regconfig',
  'regdictionary',
  'regnamespace',
  'regoper',
  'regoperator',
  'regproc',
  'regprocedure',
  'aclitem',
];

/** Views and indexes are made again; pg_upgrade looks at tables, materialized views and indexes. */
export const upgradeTypes: Check = {
  id: 'upgrade-types',
  hazards: [],
  title: 'column types that pg_upgrade refuses',
  on: 'live',
  when: ['seed'],
  findings: ['upgrade-types'],
  run: async (client, { candidateMajor }) => {
    const all = await rows<Omit<Generated, 'expression' | 'functions'> & { type: string }>(
      client,
      `
      SELECT n.nspname AS schema, c.relname AS table, a.attname AS column, format_type(a.atttypid, a.atttypmod) AS
        type FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE current_setting('server_version_num')::int / 10000 < $1 AND a.attnum > 0 AND NOT a.attisdropped
      AND c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND ${userSchemas}
        AND EXISTS (SELECT FROM pg_type t JOIN pg_namespace tn ON tn.oid = t.typnamespace LEFT JOIN pg_type inside ON inside.oid IN (t.typelem, t.typbasetype)
          WHERE t.oid = a.atttypid AND tn.nspname NOT IN ('information_schema') AND (t.typname = ANY ($2) OR inside.typname = ANY ($2)))
      ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C", a.attnum`,
      [candidateMajor, notUpgraded],
    );
    return found('upgrade-types', {
      title: `columns have types that an upgrade to PostgreSQL ${candidateMajor} refuses`,
      objects: all.map((column) => `${full(column)} ${column.type}`),
      reason: 'They hold OIDs that pg_upgrade does not keep, so it refuses to start.',
      fix: inOrder(
        all.map(
          ({ schema, table, column, type }) =>
            `ALTER TABLE ${qualified({ schema, name: table })} ALTER COLUMN ${ident(column)} TYPE text${type.endsWith('[]') ? '[]' : ''} ` +
            `USING ${ident(column)}::text${type.endsWith('[]') ? '[]' : ''};`,
        ),
      ),
    });
  },
};

/** Docs: "Logical Replication / Security". Superusers and BYPASSRLS roles are never subject to policies. */
export const rowSecurity: Check = {
  id: 'row-security',
  hazards: [15],
  title: 'row-level security',
  on: 'both',
  when: everyGate,
  findings: ['row-security-apply', 'row-security'],
  run: async (client, { runAsOwner, candidateMajor, operator }) => {
    const tableOwner = candidateMajor >= 16 && !runAsOwner;
    const all = await rows<{ schema: string; name: string; forced: boolean; subject: boolean }>(
      client,
      `
      SELECT n.nspname AS schema, c.relname AS name, c.relforcerowsecurity AS forced,
        CASE WHEN $1 THEN c.relforcerowsecurity AND NOT (w.rolsuper
          OR w.rolbypassrls) ELSE NOT coalesce((SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = $2), true) END AS subject
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles w ON w.oid = c.relowner
      WHERE c.relrowsecurity AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND ${userSchemas} ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`,
      [tableOwner, operator],
    );
    const [stopped, passing] = [all.filter(({ subject }) => subject), all.filter(({ subject }) => !subject)];
    const name = ({ schema, name: table, forced }: (typeof all)[number]) =>
      `${schema}.${table}${forced ? ', forced' : ''}`;
    return [
      ...found('row-security-apply', {
        objects: stopped.map(name),
        reason: tableOwner
          ? "Apply runs as the table's owner, whom FORCE makes subject to the policies: PostgreSQL then refuses to apply, and replication stops."
          : `Apply runs as ${operator}, who is subject to the policies: PostgreSQL then refuses to apply, and replication stops.`,
        fix: tableOwner
          ? inOrder([
              '-- or ALTER ROLE … BYPASSRLS for the owner, or a subscription with run_as_owner = true:',
              ...stopped.map((table) => `ALTER TABLE ${qualified(table)} NO FORCE ROW LEVEL SECURITY;`),
            ])
          : `ALTER ROLE ${ident(operator)} BYPASSRLS;`,
      }),
      ...found('row-security', {
        objects: passing.map(name),
        reason: 'Clients see through the policies on both colours; apply and verify are not subject to them.',
      }),
    ];
  },
};
