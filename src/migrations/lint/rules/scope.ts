import { all, as, constant, strings, walk, type Of } from '../ast.ts';
import type { LintContext } from '../context.ts';
import { findSuperuserNote } from '../../superuser-note.ts';
import type { Draft, Drafts, LintRule } from '../rule.ts';
import { forbiddenBy } from './help.ts';

export const role: LintRule = {
  id: 'role-management',
  title: 'Roles are made or changed',
  severity: 'error',
  category: 'safety',
  where: 'both',
  forbidden: true,
  why:
    'Roles belong to the server, not to the database: a copy of the migration on another server fails or ' +
    'differs, replication does not carry them, and passwords end up in the repository. On a candidate ' +
    'application roles are kept out on purpose until the switchover.',
  instead: 'Make roles where the environment is provisioned; GRANT on objects is fine in a migration.',
  bad: "CREATE ROLE reporting LOGIN PASSWORD 'x';",
  good: 'GRANT SELECT ON t TO app;',
  remedy: false,
  check: forbiddenBy('role-management'),
};

export const asSuperuser: LintRule = {
  id: 'as-superuser',
  title: 'The file runs as superuser',
  severity: 'warning',
  category: 'safety',
  where: 'both',
  why:
    'By its note this file does not run as the owner of what the database has, but as a superuser: whatever code of ' +
    'others it calls (a trigger, a default, a function) may do anything on the server; so may code that the ' +
    "release's other files call while all are tried together. What it makes is given to the owner of its schema afterwards.",
  instead:
    'Keep what needs it in a file of its own: an event trigger, an extension that is not trusted, a publication ' +
    'FOR ALL TABLES. The rest runs as the owner.',
  bad: '-- verdigris: as superuser because the extension is not trusted\nSELECT 1;',
  good: 'SELECT 1;',
  remedy: false,
  file: ({ source }) => {
    const found = findSuperuserNote(source.text);
    if (!found) return undefined;
    const range = {
      start: Buffer.byteLength(source.text.slice(0, found.start)),
      end: Buffer.byteLength(source.text.slice(0, found.end)),
    };
    return found.reason === undefined
      ? { message: 'No release can be migrated with this note: it gives no reason.', range, severity: 'error' as const }
      : { message: `It runs as superuser: ${found.reason}.`, range };
  },
};

export const revoke: LintRule = {
  id: 'revoke',
  title: 'Privileges are taken away',
  severity: 'warning',
  category: 'compatibility',
  where: 'both',
  why: 'The live release loses what it may still need, at once on a live database and with the first read of the canary on a candidate.',
  instead: 'Revoke in the release after the one whose software no longer needs the privilege.',
  bad: 'REVOKE SELECT ON t FROM app;',
  good: 'REVOKE EXECUTE ON FUNCTION fresh() FROM PUBLIC;',
  remedy: false,
  check: {
    GrantStmt: (node, context) => {
      if (node.is_grant === true) return undefined;
      // EXECUTE and USAGE of PUBLIC are there by default: taking them away is good practice, not a break.
      const fromPublic = all(node.grantees, 'RoleSpec').every((grantee) => grantee.roletype === 'ROLESPEC_PUBLIC');
      const relations = all(node.objects, 'RangeVar');
      if (fromPublic || (relations.length > 0 && relations.every((one) => context.isNew(one)))) return undefined;
      const granted = all(node.grantees, 'RoleSpec')
        .map((grantee) => grantee.rolename ?? 'PUBLIC')
        .join(', ');
      return { message: `${granted} may be the role of the live release.` };
    },
    AlterTableStmt: (node, context) =>
      all(node.cmds, 'AlterTableCmd').some((one) => one.subtype === 'AT_ChangeOwner') && !context.isNew(node.relation)
        ? {
            message: `The owner of ${node.relation?.relname ?? ''} changes: the old one keeps only what was granted to it.`,
            severity: 'info' as const,
          }
        : undefined,
  },
};

export const otherDatabase: LintRule = {
  id: 'other-database',
  title: 'The migration leaves its database',
  severity: 'error',
  category: 'safety',
  where: 'both',
  forbidden: true,
  why:
    'A release moves one database. What a migration does to the server, to another database or over dblink ' +
    "is not on the candidate's side alone: it hits the live server, or is done twice, and no rollback knows " +
    'of it.',
  instead: 'Provision databases, tablespaces and settings with the environment.',
  bad: 'ALTER SYSTEM SET work_mem = 1;',
  good: 'SET LOCAL work_mem = 1024;',
  remedy: false,
  check: {
    ...forbiddenBy('other-database'),
    SelectStmt: dblink,
    InsertStmt: dblink,
    UpdateStmt: dblink,
    CreateTableAsStmt: dblink,
  },
};

function dblink(node: object, context: LintContext): Drafts {
  if (!/dblink/i.test(context.statement.text)) return undefined;
  for (const [tag, fields] of walk(node)) {
    if (tag !== 'FuncCall') continue;
    const name = strings(fields['funcname'] as Of<'FuncCall'>['funcname']).at(-1) ?? '';
    if (name.startsWith('dblink'))
      return {
        message: `${name}() works on another database, outside the migration's transaction.`,
        range: context.at(fields['location'] as number | undefined),
      };
  }
  return undefined;
}

export const extension: LintRule = {
  id: 'extension',
  title: 'An extension is added or updated',
  severity: 'info',
  category: 'safety',
  where: 'both',
  why:
    "The extension's files must be on every server that the database may run on: the live one, the candidate " +
    'and the clone of a rehearsal. It may need a superuser.',
  instead: 'Put it into the image first; create it in a migration of its own.',
  bad: 'CREATE EXTENSION hstore;',
  good: 'CREATE SCHEMA fresh;',
  remedy: false,
  check: {
    CreateExtensionStmt: (node) => ({ message: `${node.extname ?? ''} must be installed on both colours' servers.` }),
    AlterExtensionStmt: (node) => ({
      message: `The new version of ${node.extname ?? ''} must be on both colours' servers.`,
    }),
  },
};

function whereOff(name: string | undefined, value: string | undefined): Draft | undefined {
  return name === 'session_replication_role' && value !== undefined && value !== 'origin'
    ? { message: 'Foreign keys and triggers do not work until it is set back.' }
    : undefined;
}

export const sessionSetting: LintRule = {
  id: 'session-replication-role',
  title: 'Triggers and foreign keys switched off for the session',
  severity: 'error',
  category: 'safety',
  where: 'both',
  why:
    'With session_replication_role = replica, no ordinary trigger fires and no ' +
    'foreign key is checked: rows that violate the schema are accepted unnoticed.',
  instead: 'Order the statements so that keys hold, or defer the constraints.',
  bad: "SET session_replication_role = 'replica';",
  good: 'SET CONSTRAINTS ALL DEFERRED;',
  check: {
    VariableSetStmt: (node) => whereOff(node.name, constant(node.args?.[0])),
    SelectStmt: (node) =>
      all(node.targetList, 'ResTarget').flatMap(({ val }) => {
        const call = as(val, 'FuncCall');
        const [name, value] = (call?.args ?? []).map(constant);
        return (strings(call?.funcname).at(-1) === 'set_config' && whereOff(name, value)) || [];
      }),
  },
};

export const scopeRules: readonly LintRule[] = [role, asSuperuser, revoke, otherDatabase, extension, sessionSetting];
