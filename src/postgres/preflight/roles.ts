import { rows } from '../client.ts';
import { ident, literal } from '../quote.ts';
import { everyGate, found, inOrder, type Check } from './check.ts';

interface Declared {
  readonly name: string;
  readonly present: boolean;
  readonly login: boolean;
  readonly superuser: boolean;
  /** Superusers that the role may become by SET ROLE, through a direct membership in `via`. */
  readonly superusers: readonly { readonly name: string; readonly via: string }[];
  readonly attributes: readonly string[];
  /** Parameters that the role may ALTER SYSTEM, with the grantee that has it. PostgreSQL 15+. */
  readonly parameters: readonly { readonly name: string; readonly grantee: string | null }[];
  readonly members: readonly string[];
}

const declaredRoles = `
  SELECT d.name, r.oid IS NOT NULL AS present, coalesce(r.rolcanlogin, false) AS login, coalesce(r.rolsuper, false) AS superuser,
    coalesce((SELECT json_agg(DISTINCT jsonb_build_object('name', s.rolname, 'via', via.rolname)) FROM pg_roles s
      JOIN pg_auth_members m ON m.member = r.oid JOIN pg_roles via ON via.oid = m.roleid
      WHERE s.rolsuper AND s.oid <> r.oid AND NOT r.rolsuper AND pg_has_role(via.oid, s.oid, 'MEMBER')
      AND (via.oid = s.oid OR NOT via.rolsuper)), '[]') AS superusers,
    array_remove(ARRAY[CASE WHEN r.rolreplication THEN 'REPLICATION' END, CASE WHEN r.rolbypassrls THEN 'BYPASSRLS'
      END, CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END], NULL) AS attributes,
    coalesce((SELECT json_agg(jsonb_build_object('name', p.parname, 'grantee', g.rolname) ORDER BY p.parname)
      FROM pg_parameter_acl p CROSS JOIN LATERAL aclexplode(p.paracl) AS x LEFT JOIN pg_roles g ON g.oid = x.grantee
      WHERE x.privilege_type = 'ALTER SYSTEM' AND NOT r.rolsuper AND (x.grantee = 0 OR pg_has_role(r.oid, x.grantee, 'MEMBER'))), '[]') AS parameters,
    coalesce((SELECT json_agg(u.rolname ORDER BY u.rolname) FROM pg_auth_members m JOIN pg_roles u ON u.oid = m.member
      WHERE m.roleid = r.oid AND u.rolcanlogin), '[]') AS members
  FROM unnest($1::text[]) WITH ORDINALITY AS d(name, place) LEFT JOIN pg_roles r ON r.rolname = d.name ORDER BY d.place`;

/** The declared roles themselves. Docs: "Role Attributes"; "Privileges" on parameters. */
export const declared: Check = {
  id: 'declared-roles',
  hazards: [33],
  title: 'declared roles',
  on: 'live',
  when: everyGate,
  findings: ['declared-role-missing', 'role-superuser', 'role-privileged', 'role-nologin'],
  run: async (client, { roles }) => {
    const all = await rows<Declared>(client, declaredRoles, [[...new Set([...roles.application, ...roles.readers])]]);
    const supers = all.filter(({ superuser, superusers }) => superuser || superusers.length > 0);
    const privileged = all.filter(
      ({ attributes, parameters, superuser }) => !superuser && attributes.length + parameters.length > 0,
    );
    const missing = all.filter(({ present }) => !present);
    const nologin = all.filter(({ present, login }) => present && !login);
    return [
      ...found('declared-role-missing', {
        objects: missing.map(({ name }) => name),
        reason:
          'Verdigris holds, fences and admits clients by these names; with a wrong name the real clients would continue writing.',
        fix: inOrder(missing.map(({ name }) => `-- or correct the declaration:\nCREATE ROLE ${ident(name)} LOGIN;`)),
      }),
      ...found('role-superuser', {
        objects: supers.map(({ name, superuser, superusers }) =>
          superuser ? name : `${name}, by way of ${superusers.map((role) => role.name).join(', ')}`,
        ),
        reason:
          'A superuser can undo the fence, write past read-only defaults and row security, and take the connections that are reserved for the operator.',
        fix: inOrder(
          supers.flatMap(({ name, superuser, superusers }) =>
            superuser
              ? [`ALTER ROLE ${ident(name)} NOSUPERUSER;`]
              : superusers.map(({ via }) => `REVOKE ${ident(via)} FROM ${ident(name)};`),
          ),
        ),
      }),
      ...found('role-privileged', {
        objects: privileged.map(
          ({ name, attributes, parameters }) =>
            `${name}: ${[...attributes, ...parameters.map((parameter) => `ALTER SYSTEM on ${parameter.name}`)].join(', ')}`,
        ),
        reason:
          'REPLICATION makes slots that fill the disk, CREATEROLE creates roles that are not fenced, BYPASSRLS reads ' +
          'what policies hide, ALTER SYSTEM changes the server itself.',
        fix: inOrder(
          privileged.flatMap(({ name, attributes, parameters }) => [
            ...(attributes.length > 0
              ? [`ALTER ROLE ${ident(name)} ${attributes.map((attribute) => `NO${attribute}`).join(' ')};`]
              : []),
            ...parameters.map(
              (parameter) =>
                `REVOKE ALTER SYSTEM ON PARAMETER ${parameter.name} FROM ${parameter.grantee === null ? 'PUBLIC' : ident(parameter.grantee)};`,
            ),
          ]),
        ),
      }),
      ...found('role-nologin', {
        objects: nologin.map(
          ({ name, members }) => `${name}${members.length > 0 ? `, members that can: ${members.join(', ')}` : ''}`,
        ),
        reason: 'Clients log in under other names then; or an interrupted switchover left the fence closed.',
        fix: inOrder(
          nologin.map(
            ({ name, members }) =>
              `${members.length > 0 ? '-- or declare its members instead' : '-- or correct the declaration'}:\nALTER ROLE ${ident(name)} LOGIN;`,
          ),
        ),
      }),
    ];
  },
};

/** Readers may log in to the candidate during the canary; writers never before the commit point. */
export const candidateOpen: Check = {
  id: 'candidate-open',
  hazards: [17],
  title: 'writers on the candidate',
  on: 'candidate',
  when: ['migrate', 'switch'],
  findings: ['candidate-open'],
  run: async (client, { roles }) => {
    const open = await rows<{ name: string }>(
      client,
      `SELECT rolname AS name FROM pg_roles WHERE rolcanlogin AND has_database_privilege(oid, current_database()::text, 'CONNECT')
      AND rolname = ANY ($1) ORDER BY rolname COLLATE "C"`,
      [roles.application],
    );
    return found('candidate-open', {
      objects: open.map(({ name }) => name),
      reason:
        'A row written here by anybody but apply conflicts with the next change of the live database, or is lost.',
      fix: inOrder(
        open.map(
          ({ name }) =>
            `ALTER ROLE ${ident(name)} NOLOGIN;\nSELECT pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE usename = ${literal(name)};`,
        ),
      ),
    });
  },
};
