import { rows } from '../client.ts';
import { notOfExtension } from '../fingerprint/scope.ts';
import { firedAsSuperuser } from '../owners.ts';
import { majorOf } from '../major.ts';
import { ident } from '../quote.ts';
import { superuserCode } from '../superuser-code.ts';
import { everyGate, found, inOrder, type Check } from './check.ts';
import { userSchemas } from './tables.ts';

/**
 * What lets everybody make objects: each database made before PostgreSQL 15 has it for public. Docs: DDL, "Schemas /
 * Usage Patterns".
 */
export const publicCreate: Check = {
  id: 'public-create',
  hazards: [],
  title: 'who may make objects',
  on: 'live',
  when: ['seed'],
  findings: ['public-create'],
  run: async (client) => {
    const open = await rows<{ kind: string; name: string }>(
      client,
      `SELECT 'SCHEMA' AS kind, n.nspname AS name FROM pg_namespace n
      WHERE ${userSchemas} AND EXISTS (SELECT FROM aclexplode(n.nspacl) a WHERE a.grantee = 0 AND a.privilege_type = 'CREATE')
      UNION ALL SELECT 'DATABASE', datname FROM pg_database
      WHERE datname = current_database() AND EXISTS (SELECT FROM aclexplode(datacl) a WHERE a.grantee = 0 AND a.privilege_type = 'CREATE')
      ORDER BY 1, 2`,
    );
    return found('public-create', {
      objects: open.map(({ kind, name }) => `${kind.toLowerCase()} ${name}`),
      reason:
        'Anyone who looks names up in that schema can be made to call a function or read a table of somebody ' +
        "else's. Verdigris's own sessions do not; migrations and applications may.",
      fix: inOrder(open.map(({ kind, name }) => `REVOKE CREATE ON ${kind} ${ident(name)} FROM PUBLIC;`)),
    });
  },
};

/**
 * The owner of a schema may drop what is in it, whoever owns that. Docs: DDL, "Schemas / Schemas and Privileges"; DROP
 * FUNCTION. Not what belongs to an extension: it goes with that alone.
 */
export const superuserFunctions: Check = {
  id: 'superuser-functions',
  hazards: [],
  title: 'functions of superusers that others may replace',
  on: 'live',
  when: ['seed'],
  findings: ['superuser-functions'],
  run: async (client) => {
    const open = await rows<{ kind: string; name: string; owner: string }>(
      client,
      `SELECT CASE p.prokind WHEN 'a' THEN 'AGGREGATE' ELSE 'ROUTINE' END AS kind, p.oid::regprocedure::text AS name, o.rolname AS owner
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles s ON s.oid = p.proowner
      JOIN pg_roles ns ON ns.oid = n.nspowner JOIN pg_database d ON d.datname = current_database()
      JOIN pg_roles o ON o.oid = CASE ns.rolname WHEN 'pg_database_owner' THEN d.datdba ELSE n.nspowner END
      WHERE ${userSchemas} AND s.rolsuper AND NOT o.rolsuper AND ${notOfExtension('pg_proc', 'p.oid')} AND NOT ${firedAsSuperuser}
      ORDER BY 2`,
    );
    return found('superuser-functions', {
      objects: open.map(({ name, owner }) => `${name} in a schema of ${owner}`),
      reason:
        'The owner of the schema can drop each of them and create another one of its name: what calls it, a job or ' +
        "an event trigger of a superuser too, then runs the owner's code.",
      fix: inOrder(open.map(({ kind, name, owner }) => `ALTER ${kind} ${name} OWNER TO ${ident(owner)};`)),
    });
  },
};

/** From this major on apply evaluates what is beneath a table as its owner. Docs: CREATE SUBSCRIPTION, run_as_owner. */
const appliesAsOwner = 16;

export const superuserCalls: Check = {
  id: 'superuser-calls',
  hazards: [],
  title: 'code of others beneath what superusers own',
  on: 'both',
  when: everyGate,
  findings: ['superuser-calls'],
  run: async (client, { byRows: made = false, candidateMajor }) => {
    if (!made && Math.max(candidateMajor, await majorOf(client)) < appliesAsOwner) return [];
    const open = await superuserCode(client, { made });
    return found('superuser-calls', {
      objects: open.map(({ object, code, by }) => `${object} calls ${code} of ${by}`),
      reason:
        'PostgreSQL evaluates it as the owner as rows are applied (from PostgreSQL 16 on), or as a superuser as a seed ' +
        'makes them: whoever may replace it becomes a superuser of the candidate.',
      fix: inOrder(open.map(({ code, owner }) => `-- once you have read it:\nALTER ${code} OWNER TO ${owner};`)),
    });
  },
};

interface Rule {
  readonly line: number;
  readonly users: string;
  readonly address: string;
}

/**
 * Docs: "Client Authentication / Trust Authentication". A socket's folder has permissions of its own; a network has
 * none.
 */
export const hbaTrust: Check = {
  id: 'hba-trust',
  hazards: [],
  title: 'logins without a password',
  on: 'live',
  when: ['seed'],
  findings: ['hba-trust'],
  by: 'operator',
  needs: (role) =>
    `GRANT SELECT ON pg_hba_file_rules TO ${role};\nGRANT EXECUTE ON FUNCTION pg_hba_file_rules() TO ${role};`,
  run: async (client) => {
    const trusting = await rows<Rule>(
      client,
      `SELECT line_number AS line, array_to_string(user_name, ',') AS users, coalesce(address, '') AS address
      FROM pg_hba_file_rules WHERE error IS NULL AND auth_method = 'trust' AND type <> 'local' ORDER BY line_number`,
    );
    return found('hba-trust', {
      objects: trusting.map(({ line, users, address }) => `line ${line}: ${users} from ${address}`),
      reason: 'Anyone who reaches the port from there can log in as any role, superusers included.',
      fix: inOrder(
        trusting.map(
          ({ line }) =>
            `-- in pg_hba.conf, line ${line}: scram-sha-256 in place of trust; then\nSELECT pg_reload_conf();`,
        ),
      ),
    });
  },
};
