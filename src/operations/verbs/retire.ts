import { when } from '../../model/when.ts';
import { finding, type Finding } from '../../model/finding.ts';
import { defaultRetention } from '../../model/environment.ts';
import { ownRoles } from '../../model/names.ts';
import { rows } from '../../postgres/client.ts';
import { managerRoles, runsServer } from '../../postgres/instance-manager.ts';
import { readSlot } from '../../postgres/stream/slot.ts';
import { archive } from './archive.ts';
import { clearColour, clearRole, clearSnapshots, clearStreams, record } from './clear.ts';
import type { Context } from '../engine/context.ts';
import { findingsInEach } from '../engine/each.ts';
import type { Operation } from '../engine/operation.ts';
import { tablesAt } from '../engine/part.ts';
import { release, stream } from '../engine/release-record.ts';
import { resting } from './rest.ts';

/**
 * Accepts the release: the retained colour goes, and with it the way back. `early` waives the retention that is
 * declared.
 */
export function retire(options: { readonly early: boolean }): Operation {
  return {
    verb: 'retire',
    clientsWait: () => 0,
    validate: async (c) => [
      ...retention(c, options.early),
      ...(await readers(c)),
      ...(await findingsInEach(c, (inside) => behind(inside, options.early))),
    ],
    start: [],
    complete: [clearStreams, archive, clearColour, clearSnapshots, clearRole, record('released')],
  };
}

/** A declaration that names neither the colour nor a retention any more accepts the release by that. */
function retention(c: Context, early: boolean): Finding[] {
  const { switchedAt } = release(c);
  const { retention, colours } = c.environment;
  if (early || (retention.retained === undefined && !colours[c.idle])) return [];
  const until = Date.parse(switchedAt ?? '') + (retention.retained ?? defaultRetention);
  if (!(until > Date.now())) return [];
  return [
    finding('retained', {
      title: `a rollback is to remain possible until ${when(new Date(until).toISOString())}`,
      objects: [c.idle],
      reason: 'retention.retained says how long a rollback must remain possible.',
    }),
  ];
}

/** Somebody who reads the retained colour directly would lose it without notice. */
async function readers(c: Context): Promise<Finding[]> {
  if (tablesAt(c, c.idle) !== undefined) return [];
  const found: Finding[] = [];
  await c.ifRunning(c.idle, async (client) => {
    const sessions = await rows<{ who: string }>(
      client,
      `
      SELECT usename || ' (pid ' || pid || ', ' || coalesce(nullif(application_name, ''), 'no application_name') ||
        ', ' || coalesce(client_addr::text, 'local') || ')' AS who
      FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND usename <> ALL ($1)
        AND NOT ${runsServer('$2')}`,
      [ownRoles, await managerRoles(client)],
    );
    if (sessions.length > 0)
      found.push(
        finding('retained-in-use', {
          title: `${c.idle} still has sessions`,
          objects: sessions.map(({ who }) => who),
          reason: 'They would be cut off.',
        }),
      );
  });
  return found;
}

async function behind(c: Context, early: boolean): Promise<Finding[]> {
  if (await resting(c)) return [];
  const slot = await c.on(c.live, (client) => readSlot(client, stream(c).name));
  if (!slot || slot.walStatus === 'lost' || slot.behind <= c.environment.limits.lag) return [];
  return [
    finding('retained-behind', {
      grade: early ? 'warn' : 'refuse',
      title: `${c.idle} is ${Math.round(slot.behind / 1024)} KiB behind`,
      objects: [c.idle],
      reason: 'A lagging retained colour means that something is wrong: find out what before you give up the rollback.',
    }),
  ];
}
