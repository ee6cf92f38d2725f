import { gravest } from '../../model/finding-catalogue.ts';
import { finding, type Finding, type Grade } from '../../model/finding.ts';
import { describe } from '../../model/errors.ts';
import type { Client } from '../client.ts';
import { ident } from '../quote.ts';
import { HiddenError, inOrder, type AsOperator, type Check } from './check.ts';
import { isSuperuser } from '../superuser.ts';
import type { PreflightFacts } from './facts.ts';

const order: Readonly<Record<Grade, number>> = { refuse: 0, warn: 1, info: 2 };

/**
 * Runs each check in a READ ONLY transaction of its own, so that none holds back vacuum for the others' time, with a
 * bare search_path and limits on its time. Answers in the order of grade, then of the checks. Must not be called inside
 * a transaction. A check that cannot look becomes a finding; only a connection that is gone is thrown on, for then
 * nothing can be said.
 */
export async function runChecks(
  client: Client,
  facts: PreflightFacts,
  checks: readonly Check[],
  operator?: AsOperator,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const check of checks) {
    if ((check.on !== 'both' && check.on !== facts.side) || !check.when.includes(facts.gate)) continue;
    findings.push(...(await findingsOf(client, facts, check, operator)));
  }
  return findings
    .map((finding, place) => ({ finding, place }))
    .sort((a, b) => order[a.finding.grade] - order[b.finding.grade] || a.place - b.place)
    .map(({ finding }) => finding);
}

async function findingsOf(
  client: Client,
  facts: PreflightFacts,
  check: Check,
  operator?: AsOperator,
): Promise<Finding[]> {
  if (operator && check.by === 'reader' && (await isSuperuser(client))) return [];
  const asked = check.by === 'operator' && operator ? undefined : await runCheck(client, facts, check);
  if (Array.isArray(asked)) return asked;
  const again = operator && check.by !== 'reader' ? await operator((own) => runCheck(own, facts, check)) : asked;
  if (Array.isArray(again)) return again;
  return [notPermitted(check, operator ? facts.operator : (client.user ?? ''), again?.hidden)];
}

/** The error, where the role may not see what the check looks at. */
async function runCheck(client: Client, facts: PreflightFacts, check: Check): Promise<Finding[] | Hidden> {
  const limit = Math.max(1, Math.round(facts.limits.checkMs));
  try {
    await client.query(
      `BEGIN READ ONLY; SET LOCAL statement_timeout = ${limit}; SET LOCAL lock_timeout = ${limit}; SET LOCAL search_path = pg_catalog`,
    );
    return await check.run(client, facts);
  } catch (error) {
    const state = (error as { code?: unknown }).code;
    if (error instanceof HiddenError || state === '42501') return { hidden: error };
    return [unchecked(check, error)];
  } finally {
    await client.query('ROLLBACK');
  }
}

interface Hidden {
  readonly hidden: unknown;
}

/** What could not be checked counts as much as the worst it could have found, and at least a warning. */
function subject(check: Check, error: unknown) {
  const grade = check.findings.some((id) => gravest(id) === 'refuse') ? 'refuse' : 'warn';
  return { objects: [check.id], grade, title: `could not check ${check.title}: ${describe(error)}` } as const;
}

function notPermitted(check: Check, role: string, hidden: unknown): Finding {
  return finding('check-not-permitted', {
    ...subject(check, hidden),
    reason: `Role ${role} may not see what this check looks at, so it may be hidden.`,
    fix: inOrder([check.needs?.(ident(role)) ?? `GRANT pg_monitor TO ${ident(role)};`]),
  });
}

function unchecked(check: Check, error: unknown): Finding {
  const state = (error as { code?: unknown }).code;
  if (typeof state !== 'string' || !/^[0-9A-Z]{5}$/.test(state)) throw error;
  const timedOut = state === '57014' || state === '55P03';
  return finding(timedOut ? 'check-timed-out' : 'check-failed', {
    ...subject(check, error),
    reason: 'It may be there all the same.',
    fix: timedOut
      ? 'Try again when the server has less to do.'
      : 'Read the message; where the catalogue is as it should be, this is a bug in Verdigris: report it.',
  });
}
