import { label, qualified } from '../catalogue.ts';
import { rows, type Client } from '../client.ts';
import { ident } from '../quote.ts';
import { everyGate, found, inOrder, type Check } from './check.ts';
import { userSchemas } from './tables.ts';

/** One way by which a reader can write. */
interface Write {
  readonly reader: string;
  readonly kind: 'table' | 'schema' | 'database' | 'any';
  readonly schema: string;
  readonly name: string;
  /** Privileges that the grantee has; for a column, with its name: `UPDATE ("note")`. OWNER for ownership. */
  readonly privileges: readonly string[];
  /** Who has them: the reader, a role that it can become, or null for PUBLIC. */
  readonly holder: string | null;
  /** Direct memberships of the reader that lead to the holder. */
  readonly via: readonly string[];
}

/**
 * By membership and not by inheritance: a NOINHERIT member writes after SET ROLE. TRUNCATE has no column form;
 * sequences are left out: they are set again at the switchover, and USAGE on them writes no row. Docs: "Privileges";
 * "Role Membership".
 */
const grants = `
  WITH reader AS (SELECT oid, rolname FROM pg_roles WHERE rolname = ANY ($1) AND NOT rolsuper),
  relation AS (SELECT c.oid, n.nspname, c.relname, c.relacl, c.relowner FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'f') AND c.relpersistence <> 't' AND ${userSchemas}),
  held(kind, schema, name, privilege, grantee) AS (
    SELECT 'table', r.nspname, r.relname, x.privilege_type, x.grantee FROM relation r
      CROSS JOIN LATERAL aclexplode(r.relacl) AS x WHERE x.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE') AND x.grantee <> r.relowner
    UNION ALL SELECT 'table', r.nspname, r.relname, x.privilege_type || ' ("' || replace(a.attname, '"', '""') ||
      '")', x.grantee FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND NOT a.attisdropped
        CROSS JOIN LATERAL aclexplode(a.attacl) AS x WHERE x.privilege_type IN ('INSERT', 'UPDATE')
    UNION ALL SELECT 'table', r.nspname, r.relname, 'OWNER', r.relowner FROM relation r
    UNION ALL SELECT 'schema', n.nspname, '', x.privilege_type, x.grantee FROM pg_namespace n
      CROSS JOIN LATERAL aclexplode(n.nspacl) AS x WHERE x.privilege_type = 'CREATE' AND x.grantee <> n.nspowner AND ${userSchemas}
    UNION ALL SELECT 'schema', n.nspname, '', 'OWNER', n.nspowner FROM pg_namespace n WHERE ${userSchemas}
    UNION ALL SELECT 'database', d.datname, '', x.privilege_type, x.grantee FROM pg_database d
      CROSS JOIN LATERAL aclexplode(d.datacl) AS x WHERE d.datname = current_database() AND x.privilege_type = 'CREATE' AND x.grantee <> d.datdba
    UNION ALL SELECT 'database', d.datname, '', 'OWNER', d.datdba FROM pg_database d WHERE d.datname = current_database()
    UNION ALL SELECT 'any', '', '', 'pg_write_all_data', 'pg_write_all_data'::regrole)
  SELECT r.rolname AS reader, h.kind, h.schema, h.name, array_agg(h.privilege ORDER BY h.privilege) AS privileges, g.rolname AS holder,
    coalesce((SELECT json_agg(DISTINCT m.rolname) FROM pg_auth_members am JOIN pg_roles m ON m.oid = am.roleid
      WHERE am.member = r.oid AND g.oid <> r.oid AND pg_has_role(m.oid, g.oid, 'MEMBER')), '[]') AS via
  FROM reader r JOIN held h ON h.grantee = 0 OR pg_has_role(r.oid, h.grantee, 'MEMBER') LEFT JOIN pg_roles g ON g.oid = h.grantee
  WHERE NOT (h.kind = 'schema' AND h.schema = 'public' AND g.rolname = 'pg_database_owner')
  GROUP BY r.oid, r.rolname, h.kind, h.schema, h.name, g.oid, g.rolname
    ORDER BY r.rolname COLLATE "C", h.kind, h.schema COLLATE "C", h.name COLLATE "C", g.rolname COLLATE "C"`;

function target({ kind, schema, name }: Write): string {
  return kind === 'table' ? qualified({ schema, name }) : `${kind.toUpperCase()} ${ident(schema)}`;
}

function revoke(write: Write): string[] {
  if (write.via.length > 0) return write.via.map((role) => `REVOKE ${ident(role)} FROM ${ident(write.reader)};`);
  const from = write.holder === null ? 'PUBLIC' : ident(write.holder);
  return write.privileges.map((privilege) =>
    privilege === 'OWNER'
      ? `ALTER ${write.kind === 'table' ? 'TABLE ' : ''}${target(write)} OWNER TO CURRENT_USER;`
      : `REVOKE ${privilege} ON ${write.kind === 'table' ? 'TABLE ' : ''}${target(write)} FROM ${from} CASCADE;`,
  );
}

function describeWrite(write: Write): string {
  const { reader, kind, schema, name, privileges, holder } = write;
  const where = kind === 'table' ? ` on ${label({ schema, name })}` : kind === 'any' ? '' : ` on ${kind} ${schema}`;
  return `${reader}: ${privileges.join(', ')}${where}${holder === reader ? '' : ` by ${holder ?? 'PUBLIC'}`}`;
}

async function writes(client: Client, readers: readonly string[]): Promise<Write[]> {
  return rows<Write>(client, grants, [readers]);
}

/** Readers reach the candidate during the canary, where nobody but apply and the migrations may write. */
export const readerPrivileges: Check = {
  id: 'reader-privileges',
  hazards: [17, 33],
  title: 'privileges of reader roles',
  on: 'both',
  when: everyGate,
  findings: ['reader-can-write'],
  run: async (client, { roles }) => {
    const written = await writes(client, roles.readers);
    return found('reader-can-write', {
      objects: written.map(describeWrite),
      reason:
        'The canary sends their connections to the candidate. A row written there conflicts with the live database, or is lost.',
      fix: inOrder(written.flatMap(revoke)),
    });
  },
};
