import { describe } from '../../model/errors.ts';
import { one, type Client } from '../client.ts';
import { attempts, Lacks, type Attempt, type Grantee } from './attempts.ts';

export interface Capability {
  readonly id: string;
  readonly ability: string;
  readonly can: boolean;
  /** The server's words, where it cannot. */
  readonly why?: string;
  /** What is done instead; left out where nothing can be, and a release needs it. */
  readonly instead?: string;
  /** Statements for a superuser or the service's own administrator; none where no grant gives it. */
  readonly grant: readonly string[];
}

/** SQLSTATE. */
const insufficientPrivilege = '42501';

/** Milliseconds that one attempt may wait or take: clients must not wait behind it. */
const limit = 2_000;

/**
 * What the role of this connection may do, found by doing each thing in a transaction that is rolled back: attributes
 * and memberships do not tell what a managed service allows. Must not be called inside a transaction. Nothing is left.
 */
export async function tryCapabilities(client: Client): Promise<Capability[]> {
  const grantee = await one<Grantee>(
    client,
    `SELECT current_user::text AS role, current_database()::text AS database, current_setting('server_version_num')::int / 10000 AS major`,
  );
  const found: Capability[] = [];
  for (const attempt of attempts) found.push(await tryOne(client, attempt, grantee));
  return found;
}

async function tryOne(client: Client, attempt: Attempt, grantee: Grantee): Promise<Capability> {
  const { id, ability, instead } = attempt;
  let failed: unknown;
  await client.query(`BEGIN; SET LOCAL lock_timeout = ${limit}; SET LOCAL statement_timeout = ${limit}`);
  try {
    await attempt.attempt(client, grantee);
  } catch (error) {
    failed = error;
  } finally {
    await client.query('ROLLBACK');
  }
  if (failed === undefined) return { id, ability, can: true, grant: [] };
  // Of a table that cannot be published, say, no grant makes one that can.
  const lacksRight = failed instanceof Lacks || (failed as { code?: unknown }).code === insufficientPrivilege;
  return {
    ...{ id, ability, can: false, why: describe(failed) },
    grant: lacksRight ? await attempt.grant(grantee, client) : [],
    ...(instead === undefined ? {} : { instead }),
  };
}

/** A table for people: what can be, and below it what cannot, why, what is done instead, and what to ask for. */
export function capabilityTable(capabilities: readonly Capability[]): string {
  const lacking = capabilities.filter(({ can }) => !can);
  if (lacking.length === 0) return `the role can do all ${capabilities.length} things that a release does`;
  return capabilities
    .flatMap(({ ability, can, why, instead, grant }) => [
      `${can ? 'can   ' : 'cannot'}  ${ability}`,
      ...(why === undefined ? [] : [`        ${why}`]),
      ...(can ? [] : [`        ${instead === undefined ? 'a release needs this' : `instead: ${instead}`}`]),
      ...grant.map((statement) => `        ask for: ${statement}`),
    ])
    .join('\n');
}
