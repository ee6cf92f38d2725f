import { rows, withTransaction, type Client } from '../client.ts';
import { databaseDifferences } from './globals-databases.ts';
import type { GlobalFinding } from './globals-finding.ts';
import { roleDifferences } from './globals-roles.ts';
import { serverDifferences } from './globals-server.ts';
import type { SecretStatement } from './secret.ts';

/**
 * What belongs to a server and not to a database, and so is never replicated: roles with attributes, passwords, memberships and
 * settings, databases' owners, limits, grants and settings, tablespaces, and the server settings that software can feel.
 * `fenced` are roles that Verdigris itself keeps from logging in on the candidate. Both clients must be superusers.
 */
export async function compareGlobals(
  live: Client,
  candidate: Client,
  fenced: ReadonlySet<string> = new Set(),
): Promise<GlobalFinding[]> {
  return [
    ...(await roleDifferences(live, candidate, fenced)),
    ...(await databaseDifferences(live, candidate)),
    ...(await serverDifferences(live, candidate)),
  ];
}

/**
 * Runs the statements of findings on the candidate: those about roles and databases in one transaction, ALTER SYSTEM, which allows
 * none, after it, then a reload. Statement logging is off meanwhile, so that no password verifier reaches the server's log.
 * Returns the findings that had no statement.
 */
export async function applyGlobals(candidate: Client, findings: readonly GlobalFinding[]): Promise<GlobalFinding[]> {
  const statements = findings.flatMap((finding) => finding.statements);
  const outside = statements.filter((statement) => statement.reveal().startsWith('ALTER SYSTEM '));
  const quiet = [
    "log_statement = 'none'",
    'log_min_duration_statement = -1',
    'log_min_duration_sample = -1',
    "log_min_error_statement = 'panic'",
    'log_transaction_sample_rate = 0',
    'default_transaction_read_only = off',
  ];
  const names = quiet.map((setting) => setting.split(' ')[0] as string);
  for (const setting of quiet) await candidate.query(`SET ${setting}`);
  try {
    await withTransaction(candidate, async () => {
      for (const statement of statements) if (!outside.includes(statement)) await run(candidate, statement);
    });
    for (const statement of outside) await run(candidate, statement);
    if (outside.length > 0) await rows(candidate, 'SELECT pg_reload_conf()');
  } finally {
    for (const name of names) await candidate.query(`RESET ${name}`).catch(() => undefined);
  }
  return findings.filter((finding) => finding.statements.length === 0);
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
