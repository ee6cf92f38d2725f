import type { Finding } from '../../model/finding.ts';
import type { Client } from '../client.ts';
import type { PreflightFacts } from './facts.ts';
import type { AsOperator } from './check.ts';
import { checks } from './registry.ts';
import { runChecks } from './run.ts';

export { releaseNeeds, type Gate, type PreflightFacts, type Side } from './facts.ts';
export { checks } from './registry.ts';

/**
 * All that can be said of this server for this gate, gravest first. Changes nothing; call it outside of a transaction.
 */
export async function preflight(client: Client, facts: PreflightFacts, operator?: AsOperator): Promise<Finding[]> {
  return runChecks(client, facts, checks, operator);
}
