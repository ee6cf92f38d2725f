/** Properties of one object that are named; the rest is counted. */
const most = 3;

type Objects = Readonly<Record<string, unknown>>;

/**
 * What becomes of each object of an environment, a line each: `+ StatefulSet/shop-green`, `- …`, and of one that
 * changes the properties that differ, `~ Service/shop-rw: spec.selector.colour: blue → green`.
 */
export function objectChanges(before: Objects = {}, after: Objects = {}): string[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return keys.flatMap((key) => {
    if (!(key in after)) return [`- ${key}`];
    if (!(key in before)) return [`+ ${key}`];
    const differing = differences(before[key], after[key], []);
    const more = differing.length > most ? [`and ${differing.length - most} more`] : [];
    return differing.length === 0 ? [] : [`~ ${key}: ${[...differing.slice(0, most), ...more].join(', ')}`];
  });
}

function differences(before: unknown, after: unknown, path: readonly string[]): string[] {
  if (isFields(before) && isFields(after))
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
      differences(before[key], after[key], [...path, key]),
    );
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  return [`${path.join('.')}${isFields(before) || isFields(after) ? '' : `: ${short(before)} → ${short(after)}`}`];
}

/** Lists count as fields by their index: a container or a route is found by its place. */
function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function short(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'none');
  return text.length > 60 || text.includes('\n') ? '…' : text;
}
