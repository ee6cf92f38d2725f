import { comparePlans, readPlans } from '../../../migrations/rehearsal/plans.ts';
import { knownStatements } from '../../../migrations/rehearsal/known-statements.ts';
import type { Colours } from '../colours.ts';
import { inconclusive, type Measurement } from '../measurement.ts';
import { shortStatement } from '../one-line.ts';

/**
 * The live colour's top statements, planned on both colours for any parameters: those that another plan makes dearer,
 * or that cannot be planned any more.
 */
export async function measurePlans(colours: Colours): Promise<Measurement> {
  const { roles, colours: declared } = colours.environment;
  const known = await colours.look(colours.journal.live, (client) =>
    knownStatements(client, [...roles.application, ...roles.readers]),
  );
  if (typeof known === 'string') return inconclusive(known);
  const plan = async (colour: Colours['candidate']) => {
    const { planner } = await colours.settings(colour);
    return readPlans(() => planner, known, declared[colour]?.postgres ?? 15);
  };
  const { compared, worse, broken } = comparePlans(
    await plan(colours.former),
    await plan(colours.candidate),
    undefined,
  );
  const found = [
    ...worse.map(
      ({ query, before, after, nodesBefore, nodesAfter }) =>
        `${shortStatement(query)}: cost ${before} by ${nodesBefore}, now ${after} by ${nodesAfter}`,
    ),
    ...broken.map(({ query, error }) => `${shortStatement(query)}: ${error}`),
  ];
  if (found.length > 0) return { verdict: 'failure', value: found.length, seen: found.join('; ') };
  if (compared === 0) return inconclusive('no statement could be planned on the live colour');
  return { verdict: 'success', value: 0, seen: `${compared} statements are planned no dearer` };
}
