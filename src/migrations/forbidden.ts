import { parsePlPgSQLSync, type Node } from 'libpg-query';
import { fieldsOf, tagOf, walk, strings, type Of, type Tag } from './lint/ast.ts';
import { constantText } from './lint/constant-text.ts';
import { tryParse } from './lint/parse.ts';
import { isSavepoint } from './outside-transaction.ts';

/** Why no migration may hold a statement. */
export interface Forbidden {
  /** The linter's rule that says so; none where it has one of its own for that kind. */
  readonly rule?: 'role-management' | 'other-database' | 'replication-object' | 'transaction-control' | 'psql-command';
  /** To stand after "this statement". */
  readonly why: string;
}

type Kind = Forbidden | ((fields: object) => Forbidden | undefined);

const roles = 'roles are shared by all databases and not replicated, so they belong to provisioning';
const role = (what: string): Forbidden => ({ rule: 'role-management', why: `${what}: ${roles}` });
const beyond = (why: string): Forbidden => ({ rule: 'other-database', why });
const server = beyond('ties this database to another server, which a rollback does not reach');
const wholeDatabase = beyond(
  'changes a database as a whole, which is no part of a release: what is set on the live colour is carried to the other',
);
const subscription: Forbidden = {
  rule: 'replication-object',
  why: 'changes a subscription, and a candidate has none of those that the live colour has',
};

/** What these are called in statements that rename an object or give it away, whatever it is. */
const shared: Readonly<Record<string, Forbidden>> = {
  OBJECT_DATABASE: wholeDatabase,
  OBJECT_ROLE: role('changes a role'),
  OBJECT_TABLESPACE: beyond('changes a tablespace, which belongs to the server'),
  OBJECT_SUBSCRIPTION: subscription,
};

/** What has to come before anything else in a transaction, and not what may follow. */
const isolating = /^(?:TRANSACTION\b.*"|)transaction_(?:isolation|deferrable)\b/;

/** Statements that reach beyond this database, or end the transaction that the runner began. */
const kinds: { readonly [T in Tag]?: Kind } = {
  TransactionStmt: { why: 'begins or ends a transaction: the runner does that' },
  CreatedbStmt: beyond('creates a database'),
  DropdbStmt: beyond('drops a database'),
  AlterDatabaseStmt: wholeDatabase,
  AlterDatabaseSetStmt: wholeDatabase,
  AlterSystemStmt: beyond('changes the server, not the database'),
  CreateTableSpaceStmt: beyond('makes a tablespace, which no snapshot of the data directory holds'),
  DropTableSpaceStmt: beyond('drops a tablespace, which belongs to the server'),
  CreateRoleStmt: role('creates a role'),
  AlterRoleStmt: role('changes a role'),
  AlterRoleSetStmt: role('changes a role'),
  DropRoleStmt: role('drops a role'),
  GrantRoleStmt: role('changes who is a member of a role'),
  CreateForeignServerStmt: server,
  CreateUserMappingStmt: server,
  ImportForeignSchemaStmt: server,
  CreateSubscriptionStmt: { rule: 'replication-object', why: 'creates a subscription' },
  AlterSubscriptionStmt: subscription,
  DropSubscriptionStmt: subscription,
  GrantStmt: (fields) => {
    const { objtype = '' } = fields as Of<'GrantStmt'>;
    return objtype === 'OBJECT_PARAMETER_ACL' ? beyond('gives a right to a setting of the server') : shared[objtype];
  },
  RenameStmt: (fields) => shared[(fields as Of<'RenameStmt'>).renameType ?? ''],
  AlterOwnerStmt: (fields) => shared[(fields as Of<'AlterOwnerStmt'>).objectType ?? ''],
  VariableSetStmt: (fields) => {
    const { name, args } = fields as Of<'VariableSetStmt'>;
    if (!isolating.test(`${name} ${JSON.stringify(args)}`)) return undefined;
    return { rule: 'transaction-control', why: 'sets the isolation of a transaction that the runner has begun' };
  },
  CopyStmt: (fields) => {
    const { is_program: program, filename, is_from: reads } = fields as Of<'CopyStmt'>;
    if (program === true) return beyond('runs a program on the server: it does so on one colour only');
    if (filename !== undefined) return beyond('reads or writes a file of the server, which the other colour has not');
    if (reads !== true) return undefined;
    const why = 'is a COPY … FROM stdin, whose rows a client sends, and none does: write them as INSERT … VALUES';
    return { rule: 'psql-command', why };
  },
};

/** Kinds of statements of which some are forbidden, besides those that may call dblink. */
export const forbiddenTags = Object.keys(kinds) as Exclude<Tag, 'AlterTableCmd'>[];

/**
 * Why a migration must not hold this statement; undefined where it may. Of a block, what its text shows: what is in it is
 * judged by `forbiddenInBlock`. One table for the runner and the linter.
 */
export function forbiddenAs(node: Node, text: string): Forbidden | undefined {
  if (isSavepoint(node)) return undefined;
  const [tag, fields] = [tagOf(node), fieldsOf(node)];
  const kind = kinds[tag];
  const found = typeof kind === 'function' ? kind(fields) : kind;
  if (found) return found;
  // A view only says what it will do.
  if (tag === 'ViewStmt' || !/dblink/i.test(text)) return undefined;
  const calls = [...walk([node])].some(
    ([inner, call]) =>
      inner === 'FuncCall' &&
      strings((call as Of<'FuncCall'>).funcname)
        .at(-1)
        ?.startsWith('dblink') === true,
  );
  return calls ? beyond('works on another database by dblink, outside of its own transaction') : undefined;
}

/** The same with what a DO block holds, to stand after "this statement". `loadModule` must have been awaited. */
export function whyForbidden(node: Node, text: string): string | undefined {
  return forbiddenAs(node, text)?.why ?? (tagOf(node) === 'DoStmt' ? inBlock(text) : undefined);
}

/** A DO block: the statements in it, as far as its text shows them. One that is not read is PostgreSQL's to refuse. */
function inBlock(text: string): string | undefined {
  for (const [key, value] of entries(parsedBlock(text))) {
    if (key === 'PLpgSQL_stmt_commit' || key === 'PLpgSQL_stmt_rollback')
      return `has a ${key === 'PLpgSQL_stmt_commit' ? 'COMMIT' : 'ROLLBACK'} inside: the runner begins and ends the transaction`;
    if (key !== 'query' || typeof value !== 'string') continue;
    const why = inQuery(value);
    if (why !== undefined) return `holds one that ${why}`;
  }
  return undefined;
}

function parsedBlock(text: string): unknown {
  try {
    return parsePlPgSQLSync(text);
  } catch {
    return undefined;
  }
}

/** A query of a block, or what it executes where that is a constant. */
function inQuery(text: string): string | undefined {
  const parsed = tryParse(text);
  if (!('statements' in parsed)) {
    const constant = constantText(text);
    return constant === undefined || constant === text ? undefined : inQuery(constant);
  }
  for (const { stmt } of parsed.statements) {
    const why = stmt && whyForbidden(stmt, text);
    if (why !== undefined) return why;
  }
  return undefined;
}

function* entries(value: unknown): Generator<[string, unknown]> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    yield [key, inner];
    yield* entries(inner);
  }
}
