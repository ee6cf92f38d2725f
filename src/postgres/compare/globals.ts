import { rows, withTransaction, type Client } from '../client.ts';
import type { GlobalScope } from '../globals/read.ts';
import { literal } from '../quote.ts';
import { isSuperuser } from '../superuser.ts';
import { databaseDifferences } from './globals-databases.ts';
import type { GlobalFinding } from './globals-finding.ts';
import { roleDifferences } from './globals-roles.ts';
import { serverDifferences } from './globals-server.ts';
import type { SecretStatement } from './secret.ts';

/**
 * What belongs to a server and not to a database, and so is never replicated: roles with attributes, passwords,
 * memberships and settings, databases' owners, limits, grants and settings, tablespaces, and the server settings that
 * software can feel. `fenced` are roles that Verdigris itself keeps from logging in on the candidate. Where one of the
 * two is no superuser, what it cannot see is not compared: passwords, and roles that are superusers. `scope`: of a
 * further database what is its own alone. `kept`: roles whose passwords somebody else keeps alike on both.
 */
export async function compareGlobals(
  live: Client,
  candidate: Client,
  fenced: ReadonlySet<string> = new Set(),
  scope: GlobalScope = 'server',
  kept: readonly string[] = [],
): Promise<GlobalFinding[]> {
  if (scope === 'database') return databaseDifferences(live, candidate);
  return [
    ...(await roleDifferences(live, candidate, fenced, kept)),
    ...(await databaseDifferences(live, candidate)),
    ...(await serverDifferences(live, candidate)),
  ];
}

/**
 * Runs the statements of findings on the candidate: those about roles and databases in one transaction, ALTER SYSTEM,
 * which allows none, after it, then a reload. Statement logging is off meanwhile, so that no password verifier reaches
 * the server's log. Returns the findings that had no statement.
 */
export async function applyGlobals(candidate: Client, findings: readonly GlobalFinding[]): Promise<GlobalFinding[]> {
  const statements = findings.flatMap((finding) => finding.statements);
  const outside = statements.filter((statement) => statement.reveal().startsWith('ALTER SYSTEM '));
  await runQuietly(
    candidate,
    statements.filter((statement) => !outside.includes(statement)),
  );
  for (const statement of outside) await run(candidate, statement);
  if (outside.length > 0) await rows(candidate, 'SELECT pg_reload_conf()');
  return findings.filter((finding) => finding.statements.length === 0);
}

/**
 * Of the server and of extensions that write statements down; one that is not there takes its setting as a name of
 * nobody's.
 */
const quiet = {
  log_statement: 'none',
  log_min_duration_statement: '-1',
  log_min_duration_sample: '-1',
  log_min_error_statement: 'panic',
  log_transaction_sample_rate: '0',
  'pg_stat_statements.track_utility': 'off',
  'pgaudit.log': 'none',
};

/** Runs statements in one transaction that leaves none of them in a log, where that is the session's to decide. */
export async function runQuietly(client: Client, statements: readonly SecretStatement[]): Promise<void> {
  const settings = Object.entries(quiet).map(([name, value]) => `SET LOCAL ${name} = ${literal(value)}`);
  const mayBeQuiet = await isSuperuser(client);
  await withTransaction(
    client,
    async () => {
      if (mayBeQuiet) await client.query(settings.join(';'));
      for (const statement of statements) await run(client, statement);
    },
    'READ WRITE',
  );
}

/** An error of the server quotes the statement's words; a secret one is replaced by what it was to do. */
async function run(client: Client, statement: SecretStatement): Promise<void> {
  try {
    await client.query(statement.reveal());
  } catch (error) {
    throw statement.secret
      ? new Error(`${statement.text} failed with SQLSTATE ${(error as { code?: string }).code ?? 'unknown'}`)
      : error;
  }
}
