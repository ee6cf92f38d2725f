import type { Metric } from '../../../model/delivery-metrics.ts';
import { isWhole, knownStatements } from '../../../migrations/rehearsal/known-statements.ts';
import type { Client } from '../../../postgres/client.ts';
import type { Colours } from '../colours.ts';
import type { StatementSample } from '../statistics/compare.ts';

/** Statements of pg_stat_statements that are compared, where none are declared. */
const most = 10;
/** Executions that are not counted: the first ones fill caches. */
const warmUp = 3;

/** What is compared, or why there is nothing. */
async function statementsFor(metric: Metric, colours: Colours): Promise<readonly string[] | string> {
  if (metric.statements) return metric.statements;
  const { roles } = colours.environment;
  const known = await colours.look(colours.journal.live, (client) =>
    knownStatements(client, [...roles.application, ...roles.readers]),
  );
  if (typeof known === 'string') return `${known}, and no statements are declared`;
  const whole = known.filter((statement) => /^\s*(SELECT|VALUES)\b/i.test(statement.query) && isWhole(statement));
  return whole.length > 0
    ? whole.slice(0, most).map(({ query }) => query)
    : 'no statement of pg_stat_statements reads and is without parameters, and none are declared';
}

/**
 * Runs each statement on both colours in turns, so that what else goes on at the time slows both alike. Ends early
 * rather than late: what is missing is for the comparison to find.
 */
export async function sampleStatements(metric: Metric, colours: Colours): Promise<readonly StatementSample[] | string> {
  const statements = await statementsFor(metric, colours);
  if (typeof statements === 'string') return statements;
  const end = performance.now() + metric.timeout;
  const samples = statements.map((statement) => ({
    statement,
    live: [] as number[],
    candidate: [] as number[],
    errors: { live: 0, candidate: 0 },
    error: undefined as string | undefined,
  }));
  await colours.read(colours.former, (live) =>
    colours.read(colours.candidate, async (candidate) => {
      const clients = { live, candidate };
      for (let round = -warmUp; round < metric.samples && performance.now() < end; round++)
        for (const sample of samples)
          for (const side of round % 2 === 0 ? (['live', 'candidate'] as const) : (['candidate', 'live'] as const)) {
            const ms = await time(clients[side], sample.statement);
            if (round < 0) continue;
            if (typeof ms === 'number') sample[side].push(ms);
            else {
              sample.errors[side]++;
              if (side === 'candidate') sample.error = ms;
            }
          }
    }),
  );
  return samples;
}

/** Milliseconds, or the server's words. */
async function time(client: Client, statement: string): Promise<number | string> {
  const begun = performance.now();
  return client.query({ text: statement, rowMode: 'array' }).then(
    () => performance.now() - begun,
    (error: Error) => error.message,
  );
}
