import { expect } from 'vitest';
import type { Finding } from '../../../src/model/finding.ts';
import type { Client } from '../../../src/postgres/client.ts';
import { preflight, releaseNeeds, type PreflightFacts } from '../../../src/postgres/preflight/index.ts';
import { testMajor } from '../../support/postgres.ts';
import { until } from '../../support/until.ts';

export type Changes = Omit<Partial<PreflightFacts>, 'limits' | 'roles'> & {
  readonly limits?: Partial<PreflightFacts['limits']>;
  readonly roles?: Partial<PreflightFacts['roles']>;
};

export function factsWith({ limits, roles, ...rest }: Changes = {}): PreflightFacts {
  return {
    environment: 'shop',
    side: 'live',
    gate: 'seed',
    operator: 'verdigris_operator',
    candidateMajor: testMajor,
    runAsOwner: false,
    needs: releaseNeeds,
    roles: { application: [], readers: [], ...roles },
    limits: {
      longTransactionMs: 60_000,
      retainedWalBytes: 1024 ** 3,
      slotCreationMs: 30_000,
      sequenceMargin: 1000,
      checkMs: 10_000,
      ...limits,
    },
    ...rest,
  };
}

/** Settings of a server that preflight has nothing to say against. */
export const sound = { max_slot_wal_keep_size: '512MB' };

export async function findingsOf(client: Client, changes: Changes = {}): Promise<Finding[]> {
  const findings = await preflight(client, factsWith(changes));
  expect(findings.filter(({ id }) => id === 'check-failed')).toEqual([]);
  return findings;
}

export async function findingOf(client: Client, id: string, changes: Changes = {}): Promise<Finding | undefined> {
  const found = (await findingsOf(client, changes)).filter((finding) => finding.id === id);
  expect(found.length).toBeLessThan(2);
  return found[0];
}

/**
 * The finding must be there with these objects and this grade; its fix is run as it stands, and then it must be gone.
 */
export async function fixes(
  client: Client,
  id: string,
  expected: Pick<Finding, 'grade'> & { objects: readonly unknown[] },
  changes: Changes = {},
  by: Client = client,
): Promise<Finding> {
  const finding = await findingOf(client, id, changes);
  expect(finding, id).toMatchObject({ id, ...expected });
  if (!finding) throw new Error(`no finding ${id}`);
  await runScript(by, finding.fix);
  await until(`${id} is gone after ${finding.fix}`, async () => (await findingOf(client, id, changes)) === undefined);
  return finding;
}

/** As psql would: one statement at a time, so that those that refuse a transaction run too. */
export async function runScript(client: Client, script: string): Promise<void> {
  for (const statement of script.replaceAll(/^--.*$/gm, '').split(/;\s*$/m))
    if (statement.trim()) await client.query(statement);
}
