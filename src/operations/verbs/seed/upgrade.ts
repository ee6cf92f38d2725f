import { finding, type Finding } from '../../../model/finding.ts';
import { refreshStatistics, updateExtensions } from '../../../postgres/after-upgrade.ts';
import type { Context } from '../../engine/context.ts';
import type { Step } from '../../engine/operation.ts';

/** The majors that a release goes between; undefined where it stays with one. */
async function majors(c: Context): Promise<{ from: number; to: number } | undefined> {
  const from = (await c.platform.servers.observe(c.live))?.major;
  const to = c.environment.colours[c.idle]?.postgres;
  return from === undefined || to === undefined || from === to ? undefined : { from, to };
}

/** Why the declared major cannot be reached from the live one here. */
export async function upgradeFindings(c: Context): Promise<Finding[]> {
  const found = await majors(c);
  // An older one is refused by preflight, on every platform.
  if (!found || found.to < found.from) return [];
  const { upgrades } = c.platform.servers;
  const obstacle = upgrades
    ? upgrades.obstacle(found.from, found.to)
    : {
        seen: `the platform ${c.platform.kind} has no way to upgrade a copy`,
        fix: 'Declare the same major for both colours; the platform kubernetes upgrades inside a release.',
      };
  if (!obstacle) return [];
  return [
    finding('major-differs', {
      title: `${c.idle} declares PostgreSQL ${found.to}, ${c.live} is ${found.from}, and ${obstacle.seen}`,
      objects: [c.idle],
      reason: 'A copy of a volume has the major of its original until pg_upgrade has worked on it.',
      fix: obstacle.fix,
    }),
  ];
}

/** After the promotion and before the subscription. Its undoing is the removal of the copy. */
export const upgrade: Step = {
  id: 'upgrade',
  title: 'upgrade the copy to the declared major',
  why: "pg_upgrade works on a server that nobody uses; X is a position in the live server's log and stays what it was",
  risk: 'none for the live colour but WAL that it retains meanwhile, no more than limits.retainedWal',
  async run(c) {
    const found = await majors(c);
    if (!found) return 'both colours have the same major';
    const { upgrades } = c.platform.servers;
    if (!upgrades) throw new Error('checked by the gates');
    const left = await upgrades.run(c.idle, found.to);
    const updated = await c.on(c.idle, updateExtensions);
    await c.withTheirs(c.idle, refreshStatistics);
    return [
      `PostgreSQL ${found.from} to ${found.to}`,
      ...(updated.length > 0 ? [`updated ${updated.join(', ')}`] : []),
      ...(left ? [left] : []),
    ].join('; ');
  },
};
