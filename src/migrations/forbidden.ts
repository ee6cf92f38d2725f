import { parse, parsePlPgSQL, type Node as PgNode } from 'libpg-query';
import { constantText } from './lint/constant-text.ts';
import { isSavepoint } from './outside-transaction.ts';

type Node = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const roles = 'roles are shared by all databases and not replicated, so they belong to provisioning';
const subscription = 'changes a subscription, and a candidate has none of those that the live colour has';
const server = 'ties this database to another server, which a rollback does not reach';

/** Statements that reach beyond this database, or end the transaction that the runner began. */
const kinds: Readonly<Record<string, string>> = {
  TransactionStmt: 'begins or ends a transaction: the runner does that',
  CreatedbStmt: 'creates a database',
  DropdbStmt: 'drops a database',
  AlterDatabaseStmt: 'changes a database as a whole, which is not replicated',
  AlterSystemStmt: 'changes the server, not the database',
  CreateTableSpaceStmt: 'makes a tablespace, which no snapshot of the data directory holds',
  DropTableSpaceStmt: 'drops a tablespace, which belongs to the server',
  CreateRoleStmt: `creates a role: ${roles}`,
  AlterRoleStmt: `changes a role: ${roles}`,
  AlterRoleSetStmt: `changes a role: ${roles}`,
  DropRoleStmt: `drops a role: ${roles}`,
  GrantRoleStmt: `changes who is a member of a role: ${roles}`,
  CreateForeignServerStmt: server,
  CreateUserMappingStmt: server,
  ImportForeignSchemaStmt: server,
  CreateSubscriptionStmt: 'creates a subscription',
  AlterSubscriptionStmt: subscription,
  DropSubscriptionStmt: subscription,
};

/** What these are called in statements that rename an object or give it away, whatever it is. */
const objects: Readonly<Record<string, string>> = {
  OBJECT_DATABASE: 'changes a database as a whole, which is not replicated',
  OBJECT_ROLE: `changes a role: ${roles}`,
  OBJECT_TABLESPACE: 'changes a tablespace, which belongs to the server',
  OBJECT_SUBSCRIPTION: subscription,
};

/** What has to come before anything else in a transaction; not of those that follow. */
const isolating = /^(?:TRANSACTION\b.*"|)transaction_(?:isolation|deferrable)\b/;

/** In a parse tree as JSON, the schema before the name or not. */
const callOfDblink = /"funcname":\[(\{"String":\{"sval":"[^"]*"\}\},)?\{"String":\{"sval":"dblink/i;

/**
 * Why a migration must not hold this statement, to stand after "this statement"; undefined where it may. `text` is its
 * source.
 */
export async function whyForbidden(node: Node, text: string): Promise<string | undefined> {
  const [kind = '', body = {}] = Object.entries(node)[0] ?? [];
  if (isSavepoint(node as unknown as PgNode)) return undefined;
  const known = kinds[kind];
  if (known !== undefined) return known;
  const { renameType, objectType } = body as { readonly renameType?: string; readonly objectType?: string };
  const whole = (kind === 'RenameStmt' || kind === 'AlterOwnerStmt') && objects[renameType ?? objectType ?? ''];
  if (whole !== undefined && whole !== false) return whole;
  if (kind === 'VariableSetStmt' && isolating.test(`${String(body['name'])} ${JSON.stringify(body['args'])}`))
    return 'sets the isolation of a transaction that the runner has begun';
  if (kind === 'CopyStmt' && body['is_program'] === true)
    return 'runs a program on the server: it does so on one colour only';
  if (kind === 'CopyStmt' && body['filename'] !== undefined)
    return 'reads or writes a file of the server, which the other colour has not';
  if (kind === 'CopyStmt' && body['is_from'] === true)
    return 'is a COPY … FROM stdin, whose rows a client sends, and none does: write them as INSERT … VALUES';
  if (/dblink/i.test(text) && callOfDblink.test(JSON.stringify(body)))
    return 'works on another database by dblink, outside of its own transaction';
  return kind === 'DoStmt' ? inBlock(text) : undefined;
}

/** A DO block: the statements in it, as far as its text shows them. One that is not read is PostgreSQL's to refuse. */
async function inBlock(text: string): Promise<string | undefined> {
  const block = await parsePlPgSQL(text).catch(() => undefined);
  for (const [key, value] of walk(block)) {
    if (key === 'PLpgSQL_stmt_commit' || key === 'PLpgSQL_stmt_rollback')
      return `has a ${key === 'PLpgSQL_stmt_commit' ? 'COMMIT' : 'ROLLBACK'} inside: the runner begins and ends the transaction`;
    if (key !== 'query' || typeof value !== 'string') continue;
    const why = await inQuery(value);
    if (why !== undefined) return `holds one that ${why}`;
  }
  return undefined;
}

/** A query of a block, or what it executes where that is a constant. */
async function inQuery(text: string): Promise<string | undefined> {
  const parsed = await parse(text).catch(() => undefined);
  const constant = parsed ? undefined : constantText(text);
  if (constant !== undefined && constant !== text) return inQuery(constant);
  for (const { stmt } of (parsed?.stmts ?? []) as unknown as { stmt?: Node }[]) {
    const why = stmt && (await whyForbidden(stmt, text));
    if (why !== undefined) return why;
  }
  return undefined;
}

function* walk(value: unknown): Generator<[string, unknown]> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    yield [key, inner];
    yield* walk(inner);
  }
}
