import { rows, withTransaction, type Client } from '../postgres/client.ts';
import { accountOf, amountOf } from './amounts.ts';
import { acknowledgedByWrongColour, type Commit } from './commits.ts';
import { lister } from './lister.ts';
import type { WriteAttempt, WorkloadLog } from './log.ts';
import { longestPause, pausesAt } from './pause.ts';
import { violations, type Counted, type WorkloadVerdict } from './verdict.ts';

/** Distinct (writer, sequence) read at a time: bounds memory, not meaning. */
const page = 20_000;

/**
 * Holds every write of the log against the live database, in one read-only snapshot, after the workload has stopped.
 * `commits`: the commit points of the switchovers and rollbacks during the run, by this machine's clock.
 */
export async function judge(
  live: Client,
  log: WorkloadLog,
  { commits = [] }: { readonly commits?: readonly Commit[] } = {},
): Promise<WorkloadVerdict> {
  const inOrder = commits.toSorted((a, b) => a.at.getTime() - b.at.getTime());
  const { found, altered, balances } = await withTransaction(
    live,
    async () => ({ ...(await countRows(live, log)), balances: await wrongBalances(live) }),
    'ISOLATION LEVEL REPEATABLE READ READ ONLY',
  );

  const [lost, doubled, foundMore, refusedButFound, unknown, wrongColour] = [
    lister(),
    lister(),
    lister(),
    lister(),
    lister(),
    lister(),
  ];
  const count = { acknowledged: 0, foundOnce: 0, foundNever: 0, unansweredOnce: 0 };
  for (const attempt of log.attempts) {
    const key = keyOf(attempt);
    const times = found.get(key) ?? 0;
    found.delete(key);
    if (attempt.acknowledged) {
      count.acknowledged += 1;
      if (times === 1) count.foundOnce += 1;
      else (times === 0 ? lost : doubled).add(key);
      if (acknowledgedByWrongColour(attempt, inOrder))
        wrongColour.add(`${key} by ${attempt.acknowledged.colour || 'a server without a name'}`);
    } else {
      if (times === 0) count.foundNever += 1;
      else if (times === 1) count.unansweredOnce += 1;
      else foundMore.add(key);
      if (attempt.refused && times > 0) refusedButFound.add(key);
    }
  }
  for (const key of found.keys()) unknown.add(key);

  const verdict: Omit<WorkloadVerdict, 'ok'> = {
    run: log.run,
    attempted: log.attempts.length,
    acknowledged: count.acknowledged,
    foundOnce: count.foundOnce,
    lost: lost.listed(),
    doubled: doubled.listed(),
    unacknowledged: {
      count: log.attempts.length - count.acknowledged,
      foundNever: count.foundNever,
      foundOnce: count.unansweredOnce,
      foundMore: foundMore.listed(),
    },
    refusedButFound: refusedButFound.listed(),
    unknown: unknown.listed(),
    altered,
    balances,
    wrongColour: wrongColour.listed(),
    errors: countErrors(log),
    pause: longestPause(log),
    pauses: pausesAt(log, inOrder),
  };
  return { ok: violations(verdict).length === 0, ...verdict };
}

/** For people: `writer 3 #1207`. */
function keyOf({ writer, sequence }: Pick<WriteAttempt, 'writer' | 'sequence'>): string {
  return `writer ${writer} #${sequence}`;
}

async function countRows(live: Client, log: WorkloadLog): Promise<{ found: Map<string, number>; altered: Counted }> {
  const found = new Map<string, number>();
  const altered = lister();
  type Group = { writer: number; sequence: string; times: string; amounts: number[]; accounts: number[] };
  for (let [writer, sequence] = [-1, '-1']; ;) {
    const groups = await rows<Group>(
      live,
      `
      SELECT writer, sequence, count(*) AS times, array_agg(DISTINCT amount) AS amounts, array_agg(DISTINCT account) AS accounts
      FROM workload.entry WHERE run = $1 AND (writer, sequence) > ($2, $3::bigint)
      GROUP BY writer, sequence ORDER BY writer, sequence LIMIT ${page}`,
      [log.run, writer, sequence],
    );
    for (const group of groups) {
      const key = { writer: group.writer, sequence: Number(group.sequence) };
      found.set(keyOf(key), Number(group.times));
      const asSent =
        group.amounts.every((amount) => amount === amountOf(key.writer, key.sequence)) &&
        group.accounts.every((account) => account === accountOf(key.writer, key.sequence, log.writers));
      if (!asSent) altered.add(keyOf(key));
    }
    const last = groups.at(-1);
    if (!last || groups.length < page) return { found, altered: altered.listed() };
    [writer, sequence] = [last.writer, last.sequence];
  }
}

async function wrongBalances(live: Client): Promise<Counted> {
  const wrong = lister();
  const found = await rows<{ id: number; balance: string | null; sum: string }>(
    live,
    `
    SELECT coalesce(a.id, e.account) AS id, a.balance, coalesce(e.sum, 0) AS sum
    FROM workload.account a FULL JOIN (SELECT account, sum(amount)::bigint FROM workload.entry GROUP BY account) e ON e.account = a.id
    WHERE a.balance IS DISTINCT FROM coalesce(e.sum, 0) ORDER BY 1`,
  );
  for (const { id, balance, sum } of found) wrong.add(`account ${id} has ${balance ?? 'no row'}, its entries ${sum}`);
  return wrong.listed();
}

function countErrors({ errors }: WorkloadLog): WorkloadVerdict['errors'] {
  const seen = errors.filter(({ phase }) => phase !== 'idle');
  const byCode: Record<string, number> = {};
  for (const { code } of seen) byCode[code ?? 'none'] = (byCode[code ?? 'none'] ?? 0) + 1;
  return {
    statements: seen.filter(({ phase }) => phase === 'statement').length,
    connects: seen.filter(({ phase }) => phase === 'connect').length,
    idle: errors.length - seen.length,
    byCode,
    examples: [...new Set(seen.map(({ role, phase, message }) => `${role}, ${phase}: ${message}`))].slice(0, 5),
  };
}
