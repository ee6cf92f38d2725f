import { VerdigrisError } from '../model/errors.ts';
import { knockRole, ownRoles } from '../model/names.ts';
import { rows, type Client } from './client.ts';
import { ident, literal } from './quote.ts';
import { passwordClause } from './verifier.ts';

/** A role that the operator's own rights do not keep out. */
export interface OpenRole {
  readonly role: string;
  readonly why: string;
}

/**
 * Stands for everybody else, for as long as it takes to prove that nobody gets in: its password is known to this
 * process alone.
 */

const passed = [...ownRoles, knockRole];
const ours = literal(`{${passed.join(',')}}`);

/** As long as who changes a role has not committed, it is not waited for: its session is ended like all others. */
const rowLimit = 200;

/**
 * Sets NOLOGIN what may be set, each remembered. Where a role is left, CONNECT on the database is taken from everybody
 * but Verdigris, and who had it is remembered. The role that will knock with `password` is closed by the weaker of the
 * two that is used. In the caller's transaction, by one statement: clients wait.
 */
export async function closeByRights(client: Client, password: string): Promise<void> {
  const others = `FROM pg_catalog.pg_roles WHERE rolcanlogin AND rolname <> ALL (${ours})`;
  const body = `
    DECLARE who name;
    BEGIN
      IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '${knockRole}') THEN CREATE ROLE ${knockRole}; END IF;
      ALTER ROLE ${knockRole} LOGIN ${passwordClause(password)};
      FOR who IN SELECT rolname ${others} LOOP
        BEGIN
          EXECUTE format('ALTER ROLE %I NOLOGIN', who);
          INSERT INTO verdigris.fenced_role (name) VALUES (who) ON CONFLICT DO NOTHING;
        EXCEPTION WHEN insufficient_privilege THEN NULL;
        END;
      END LOOP;
      IF NOT EXISTS (SELECT ${others}) THEN
        ALTER ROLE ${knockRole} NOLOGIN;
        RETURN;
      END IF;
      BEGIN
        INSERT INTO verdigris.fenced_connect
          SELECT coalesce(g.rolname, ''), bool_or(a.is_grantable) FROM pg_catalog.pg_database d
            CROSS JOIN LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a LEFT JOIN pg_catalog.pg_roles g ON g.oid = a.grantee
          WHERE d.datname = current_database() AND a.privilege_type = 'CONNECT' GROUP BY 1 ON CONFLICT DO NOTHING;
        FOR who IN SELECT rolname FROM pg_catalog.pg_roles WHERE rolname = ANY (${literal(`{${ownRoles.join(',')}}`)}) LOOP
          EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), who);
        END LOOP;
        FOR who IN SELECT grantee FROM verdigris.fenced_connect WHERE grantee <> ALL (${ours}) LOOP
          EXECUTE format('REVOKE CONNECT ON DATABASE %I FROM %s CASCADE', current_database(), CASE who WHEN '' THEN 'PUBLIC' ELSE quote_ident(who) END);
        END LOOP;
      EXCEPTION WHEN insufficient_privilege THEN NULL;
      END;
    END`;
  await client.query(`SET LOCAL lock_timeout = ${rowLimit}; DO ${literal(body)}`);
}

/** Who can still come in: may log in, and may connect to this database or is a superuser, whom no right keeps out. */
export function openByRights(client: Client): Promise<OpenRole[]> {
  return rows<OpenRole>(
    client,
    `SELECT r.rolname AS role, CASE
        WHEN r.rolsuper THEN 'a superuser, whom only a superuser closes'
        WHEN NOT pg_has_role(d.datdba, 'USAGE') THEN format(
          'ALTER ROLE needs ADMIN OPTION on it, and CONNECT is given by the owner of the database, %s',
          pg_get_userbyid(d.datdba))
        ELSE 'ALTER ROLE needs ADMIN OPTION on it, and CONNECT reaches it by a grant that is not ours to take back' END AS why
    FROM pg_roles r JOIN pg_database d ON d.datname = current_database()
    WHERE r.rolcanlogin AND r.rolname <> ALL ($1) AND has_database_privilege(r.oid, d.oid, 'CONNECT') ORDER BY 1`,
    [passed],
  );
}

/** Who had CONNECT on the database until a fence took it. */
export async function takenConnect(client: Client): Promise<{ grantee: string; grantable: boolean }[]> {
  const there = await rows(client, "SELECT FROM pg_class WHERE oid = to_regclass('verdigris.fenced_connect')");
  return there.length === 0 ? [] : rows(client, 'SELECT grantee, grantable FROM verdigris.fenced_connect');
}

/** Gives CONNECT back to whom it was taken from, and lets go of the role that knocks. In the caller's transaction. */
export async function reopenByRights(client: Client): Promise<void> {
  const had = await rows<{ grantee: string; grantable: boolean }>(
    client,
    "SELECT f.grantee, f.grantable FROM verdigris.fenced_connect f WHERE f.grantee = '' OR EXISTS (SELECT FROM pg_roles WHERE rolname = f.grantee)",
  );
  const on = `CONNECT ON DATABASE ${ident(client.database ?? '')}`;
  const own = await rows<{ name: string }>(client, 'SELECT rolname AS name FROM pg_roles WHERE rolname = ANY ($1)', [
    ownRoles,
  ]);
  const given = had.map(
    ({ grantee, grantable }) =>
      `GRANT ${on} TO ${grantee === '' ? 'PUBLIC' : ident(grantee)}${grantable && grantee !== '' ? ' WITH GRANT OPTION' : ''}`,
  );
  const taken = own
    .filter(({ name }) => had.length > 0 && !had.some(({ grantee }) => grantee === name))
    .map(({ name }) => `REVOKE ${on} FROM ${ident(name)}`);
  await client.query(
    [...given, ...taken, 'DELETE FROM verdigris.fenced_connect', `DROP ROLE IF EXISTS ${knockRole}`].join('; '),
  );
}

/** @throws VerdigrisError `fence-open` naming the roles that are neither closed nor accepted. */
export function requireClosed(open: readonly OpenRole[], accept: readonly string[]): void {
  const left = open.filter(({ role }) => !accept.includes(role));
  if (left.length === 0) return;
  throw new VerdigrisError('fence-open', {
    seen: `The fence cannot keep out ${left.map(({ role, why }) => `${role} (${why})`).join('; ')}.`,
    required: 'every role but those of Verdigris closed: what one of them writes behind the fence is lost.',
    next:
      'ask its owner to close it; or, if you know that it writes nothing there, accept it by ' +
      `name in the declaration: fence: { accept: [${left.map(({ role }) => role).join(', ')}] }.`,
    facts: { roles: left },
  });
}
