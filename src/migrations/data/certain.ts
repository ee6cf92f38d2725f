import type { SeenChange } from '../../model/shape-changes.ts';
import type { PlannedStatement } from './plan.ts';

const where: Readonly<Record<string, string>> = {
  switch: 'at the switchover',
  candidate: 'on the candidate: at its first UPDATE after the switchover',
};

/**
 * What the release's own statements make certain of what would be only possible: rows of theirs that the retained
 * colour does not take.
 */
export function madeCertain(changes: readonly SeenChange[], planned: readonly PlannedStatement[]): SeenChange[] {
  return changes.map((change) => {
    if (change.id !== 'enum-value-added') return change;
    const own = planned.filter(({ newValues = [] }) =>
      newValues.some(({ type }) => change.object.endsWith(`.${type}`)),
    );
    if (own.length === 0) return change;
    const by = own.map(({ source, place }) => `${source} (${where[place] ?? place})`).join('; ');
    return {
      ...change,
      says: `${change.says ?? ''}; the release itself ends the way back by writing such a row: ${by}`,
    };
  });
}
