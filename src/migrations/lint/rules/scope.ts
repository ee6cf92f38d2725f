import type { Node } from 'libpg-query';
import { all, as, constant, strings, walk, type Of } from '../ast.ts';
import type { LintContext } from '../context.ts';
import { findSuperuserNote } from '../../superuser-note.ts';
import { isOneTransaction, outsideTransaction } from '../../outside-transaction.ts';
import type { Draft, Drafts, LintRule } from '../rule.ts';
import type { Statement } from '../statement.ts';
import { forEach } from './help.ts';

const controls: Partial<Record<NonNullable<Of<'TransactionStmt'>['kind']>, string>> = {
  TRANS_STMT_BEGIN: 'BEGIN',
  TRANS_STMT_START: 'START TRANSACTION',
  TRANS_STMT_COMMIT: 'COMMIT',
  TRANS_STMT_ROLLBACK: 'ROLLBACK',
  TRANS_STMT_PREPARE: 'PREPARE TRANSACTION',
  TRANS_STMT_COMMIT_PREPARED: 'COMMIT PREPARED',
  TRANS_STMT_ROLLBACK_PREPARED: 'ROLLBACK PREPARED',
};

function isControl({ node }: { readonly node: Node }): boolean {
  return controls[as(node, 'TransactionStmt')?.kind ?? 'TRANS_STMT_SAVEPOINT'] !== undefined;
}

/** BEGIN; … COMMIT; around everything, and nothing of the kind between. */
function isWrap(statements: readonly Statement[]): boolean {
  const own = statements.filter(({ nested }) => !nested);
  return own.filter(isControl).length === 2 && isOneTransaction(own.map(({ node }) => node));
}

export const transactionControl: LintRule = {
  id: 'transaction-control',
  title: 'The migration ends the runner’s transaction',
  severity: 'error',
  category: 'safety',
  where: 'both',
  why:
    'The runner writes a migration and its record of it in one transaction. A COMMIT inside ends it: after a ' +
    'later failure half of the migration is applied but not recorded, and runs again. A prepared ' +
    'transaction blocks replication until somebody resolves it.',
  instead:
    'Leave BEGIN and COMMIT to the runner, or put them around the whole file. What has to be apart goes into files ' +
    'of their own.',
  bad: 'BEGIN;\nALTER TABLE t ADD COLUMN n integer;\nCOMMIT;\nALTER TABLE t ADD COLUMN m integer;',
  good: 'ALTER TABLE t ADD COLUMN n integer, ADD COLUMN m integer;',
  check: {
    TransactionStmt: (node, context) => {
      const word = controls[node.kind ?? 'TRANS_STMT_SAVEPOINT'];
      const prepared = node.kind === 'TRANS_STMT_PREPARE';
      if (word === undefined || (!prepared && context.before.some(isControl))) return undefined;
      if (prepared)
        return { message: 'A prepared transaction blocks seeding, apply and the switchover until it is resolved.' };
      if (isWrap(context.statements))
        return {
          message: 'The whole file is one transaction by its own words, which Verdigris keeps; another runner may not.',
          severity: 'info' as const,
        };
      return { message: `${word} takes the transaction out of the runner's hands.` };
    },
  },
};

export const halfApplied: LintRule = {
  id: 'half-applied',
  title: 'A file that cannot be undone as a whole',
  severity: 'info',
  category: 'reversibility',
  where: 'both',
  why: 'One of its statements cannot run in a transaction, so the whole file runs without one: a failure in the middle leaves what was done before.',
  instead: 'Put the statement into a file of its own.',
  bad: 'CREATE INDEX CONCURRENTLY t_a_idx ON t (a);\nALTER TABLE t ADD COLUMN n integer;',
  good: 'CREATE INDEX CONCURRENTLY t_a_idx ON t (a);',
  file: (context) => {
    const working = context.statements.filter((one) => !one.nested && one.tag !== 'VariableSetStmt');
    const outside = working.find(({ node }) => outsideTransaction(node));
    const other = working.some(({ node }) => !outsideTransaction(node));
    if (!outside || !other || context.config.transaction === 'per-file') return undefined;
    return { message: 'This statement makes the whole file run without a transaction.', range: outside.range };
  },
};

export const role: LintRule = {
  id: 'role-management',
  title: 'Roles are made or changed',
  severity: 'error',
  category: 'safety',
  where: 'both',
  why:
    'Roles belong to the server, not to the database: a copy of the migration on another server fails or ' +
    'differs, replication does not carry them, and passwords end up in the repository. On a candidate ' +
    'application roles are kept out on purpose until the switchover.',
  instead: 'Make roles where the environment is provisioned; GRANT on objects is fine in a migration.',
  bad: "CREATE ROLE reporting LOGIN PASSWORD 'x';",
  good: 'GRANT SELECT ON t TO app;',
  remedy: false,
  check: {
    ...forEach(
      ['CreateRoleStmt', 'AlterRoleStmt', 'DropRoleStmt', 'GrantRoleStmt', 'AlterRoleSetStmt', 'ReassignOwnedStmt'],
      () => ({ message: 'Roles are shared by all databases of the server and are not replicated.' }),
    ),
  },
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
    'release’s other files call while all are tried together. What it makes is given to the owner of its schema afterwards.',
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
  why:
    'A release moves one database. What a migration does to the server, to another database or over dblink ' +
    'is not on the candidate’s side alone: it hits the live server, or is done twice, and no rollback knows ' +
    'of it.',
  instead: 'Provision databases, tablespaces and settings with the environment.',
  bad: 'ALTER SYSTEM SET work_mem = 1;',
  good: 'SET LOCAL work_mem = 1024;',
  remedy: false,
  check: {
    ...forEach(
      [
        'CreatedbStmt',
        'DropdbStmt',
        'AlterDatabaseStmt',
        'AlterDatabaseSetStmt',
        'AlterSystemStmt',
        'CreateTableSpaceStmt',
        'DropTableSpaceStmt',
        'CreateForeignServerStmt',
        'CreateUserMappingStmt',
      ],
      (context) => ({ message: messages[context.statement.tag] ?? 'It reaches beyond this database.' }),
    ),
    SelectStmt: dblink,
    InsertStmt: dblink,
    UpdateStmt: dblink,
    CreateTableAsStmt: dblink,
    CopyStmt: (node) =>
      node.is_program === true || node.filename !== undefined
        ? { message: 'COPY with a file or program of the server does the same on no other server.' }
        : undefined,
  },
};

const messages: Readonly<Record<string, string>> = {
  CreatedbStmt: 'It makes another database.',
  DropdbStmt: 'It drops a database.',
  AlterSystemStmt: 'It changes the whole server, and counts only there.',
  AlterDatabaseSetStmt: 'Settings of a database are not replicated.',
  CreateForeignServerStmt: 'It ties this database to another server.',
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
    'The extension’s files must be on every server that the database may run on: the live one, the candidate ' +
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

export const scopeRules: readonly LintRule[] = [
  transactionControl,
  halfApplied,
  role,
  asSuperuser,
  revoke,
  otherDatabase,
  extension,
  sessionSetting,
];
