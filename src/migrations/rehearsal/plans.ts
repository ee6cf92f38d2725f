import type { Client } from '../../postgres/client.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { withPooledSession } from '../../postgres/session.ts';
import { isWhole, type KnownStatement } from './known-statements.ts';
import type { PlansReport } from './report.ts';

/** A plan, or why there is none. */
export type Plan = { readonly cost: number; readonly nodes: string } | { readonly error: string };

/** Growth of the planner's cost, with other nodes, from which on a plan counts as worse. */
const worseBy = 1.2;

/**
 * Generic plans: how the server would plan for any parameters. As the role that runs them, so with its path and rights.
 */
export async function readPlans(
  as: (role: string) => ConnectionSettings,
  known: readonly KnownStatement[],
  major: number,
): Promise<Map<KnownStatement, Plan>> {
  const plans = new Map<KnownStatement, Plan>();
  for (const [role, statements] of Map.groupBy(known, (statement) => statement.role)) {
    await withPooledSession(as(role), 'rehearse-plan', async (client) => {
      for (const statement of statements)
        if (major >= 16 || isWhole(statement)) plans.set(statement, await readPlan(client, statement, major));
    });
  }
  return plans;
}

async function readPlan(client: Client, { query }: KnownStatement, major: number): Promise<Plan> {
  try {
    const { rows } = await client.query(`EXPLAIN (FORMAT JSON${major >= 16 ? ', GENERIC_PLAN' : ''}) ${query}`);
    const [{ Plan: root }] = (rows as [{ 'QUERY PLAN': [{ Plan: Node }] }])[0]['QUERY PLAN'];
    return { cost: root['Total Cost'], nodes: shape(root) };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

interface Node {
  readonly 'Node Type': string;
  readonly 'Total Cost': number;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly Plans?: readonly Node[];
}

/** `Hash Join(Seq Scan orders, Hash(…))`: what must change for a plan to be another. */
function shape(node: Node): string {
  const on = [node['Index Name'] ?? node['Relation Name']]
    .filter((name) => name !== undefined)
    .map((name) => ` ${name}`)
    .join('');
  return `${node['Node Type']}${on}${node.Plans ? `(${node.Plans.map(shape).join(', ')})` : ''}`;
}

export function comparePlans(
  before: ReadonlyMap<KnownStatement, Plan>,
  after: ReadonlyMap<KnownStatement, Plan>,
  skipped: string | undefined,
): PlansReport {
  const worse: PlansReport['worse'][number][] = [];
  const broken: PlansReport['broken'][number][] = [];
  let compared = 0;
  for (const [statement, was] of before) {
    const { query, calls } = statement;
    const is = after.get(statement);
    // What could not be planned before says nothing about the migrations.
    if (!is || 'error' in was) continue;
    compared++;
    if ('error' in is) broken.push({ query, calls, error: is.error });
    else if (is.cost > was.cost * worseBy && is.nodes !== was.nodes)
      worse.push({ query, calls, before: was.cost, after: is.cost, nodesBefore: was.nodes, nodesAfter: is.nodes });
  }
  return { compared, worse, broken, ...(skipped === undefined ? {} : { skipped }) };
}
