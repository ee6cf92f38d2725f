import { rows } from '../client.ts';
import { ident, literal } from '../quote.ts';
import { everyGate, found, inOrder, type Check } from './check.ts';

/** What it takes to read pg_file_settings, which pg_monitor is not given. */
export const mayReadFiles = (role: string): string =>
  `GRANT SELECT ON pg_catalog.pg_file_settings TO ${role};\nGRANT EXECUTE ON FUNCTION pg_catalog.pg_show_all_file_settings() TO ${role};`;

/**
 * Docs: "Client Connection Defaults"; pg_file_settings, since our own sessions switch the setting off and see nothing
 * of it. Only a fence sets this; one that was left behind rejects every write.
 */
export const readOnlyDefault: Check = {
  id: 'read-only-default',
  hazards: [33],
  title: 'read-only as a default',
  on: 'live',
  when: everyGate,
  findings: ['read-only-default'],
  by: 'operator',
  needs: mayReadFiles,
  run: async (client, { roles }) => {
    const set = await rows<{ role: string | null; database: string | null; server: boolean }>(
      client,
      `
      SELECT r.rolname AS role, d.datname AS database, false AS server FROM pg_db_role_setting s
        LEFT JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase
      WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())) AND (s.setrole = 0 OR r.rolname = ANY ($1))
        AND EXISTS (SELECT FROM unnest(s.setconfig) AS c WHERE c ~ '^default_transaction_read_only=(on|true|yes|1)$')
      UNION ALL SELECT NULL, NULL, true FROM pg_file_settings WHERE name = 'default_transaction_read_only' AND applied
        AND setting IN ('on', 'true', 'yes', '1') ORDER BY 3, 1, 2`,
      [roles.application],
    );
    return found('read-only-default', {
      objects: set.map(({ role, database, server }) =>
        server
          ? 'the server'
          : [role === null ? '' : `role ${role}`, database === null ? '' : `database ${database}`]
              .filter(Boolean)
              .join(' in '),
      ),
      reason:
        'Applications cannot write, or a fence of an interrupted switchover was left behind; the copy inherits it.',
      fix: inOrder(
        set.map(({ role, database, server }) => {
          if (server) return 'ALTER SYSTEM SET default_transaction_read_only = off;\nSELECT pg_reload_conf();';
          const who =
            role === null
              ? `DATABASE ${ident(database ?? '')}`
              : `ROLE ${ident(role)}${database === null ? '' : ` IN DATABASE ${ident(database)}`}`;
          return role === null && database === null
            ? 'ALTER ROLE ALL RESET default_transaction_read_only;'
            : `ALTER ${who} RESET default_transaction_read_only;`;
        }),
      ),
    });
  },
};

/** Docs: pg_db_role_setting. Read-only defaults have a finding of their own. */
export const roleSettings: Check = {
  id: 'role-settings',
  hazards: [8],
  title: 'settings of roles and databases',
  on: 'live',
  when: ['seed'],
  findings: ['role-settings-present'],
  run: async (client) => {
    const set = await rows<{ who: string; config: string }>(
      client,
      `
      SELECT coalesce('role ' || r.rolname, CASE WHEN s.setrole = 0 THEN NULL ELSE 'role ' || s.setrole END,
        'all roles') || coalesce(' in database ' || d.datname, '') AS who, c.config
      FROM pg_db_role_setting s CROSS JOIN LATERAL unnest(s.setconfig) AS c(config)
      LEFT JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase
      WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
        AND coalesce(r.rolname !~ '^verdigris_', true)
      ORDER BY 1, 2`,
    );
    return found('role-settings-present', {
      objects: set.map(({ who, config }) => `${who}: ${config}`),
      reason:
        'The copy holds them as they are at the snapshot. Later changes, like those of roles and passwords, are ' +
        'not replicated; the gates compare both colours.',
    });
  },
};

/** Passwords that poolers with SCRAM, and PostgreSQL after 18, no longer take. Docs: "Password Authentication". */
export const passwords: Check = {
  id: 'passwords',
  hazards: [8, 32],
  title: 'password hashes of declared roles',
  on: 'live',
  when: ['seed'],
  findings: ['password-md5'],
  needs: (role) => `GRANT SELECT ON pg_catalog.pg_authid TO ${role};`,
  run: async (client, { roles }) => {
    const md5 = await rows<{ name: string }>(
      client,
      `SELECT rolname AS name FROM pg_authid WHERE rolpassword ~ '^md5' AND rolname = ANY ($1) ORDER BY rolname COLLATE "C"`,
      [[...roles.application, ...roles.readers]],
    );
    return found('password-md5', {
      objects: md5.map(({ name }) => name),
      reason:
        'PostgreSQL is removing MD5, and a pooler that logs in by SCRAM cannot use them: an upgraded candidate may reject these clients.',
      fix: inOrder([
        "SET password_encryption = 'scram-sha-256';",
        ...md5.map(({ name }) => `ALTER ROLE ${ident(name)} PASSWORD ${literal('the same password')};`),
      ]),
    });
  },
};
