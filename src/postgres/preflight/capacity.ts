import { type Finding, type WordlessId } from '../../model/finding.ts';
import { one, type Client } from '../client.ts';
import { literal } from '../quote.ts';
import { everyGate, found, inOrder, type Check } from './check.ts';
import { requireStatistics } from './transactions.ts';

/** A setting that takes effect at a restart, as the fix says. */
const atRestart = (name: string, value: string) =>
  `-- takes effect at a restart:\nALTER SYSTEM SET ${name} = ${literal(value)};`;

/** Docs: "Logical Replication / Configuration Settings". */
export const walLevel: Check = {
  id: 'wal-level',
  hazards: [23],
  title: 'wal_level',
  on: 'both',
  when: everyGate,
  findings: ['wal-level'],
  run: async (client) => {
    const { level } = await one<{ level: string }>(client, "SELECT current_setting('wal_level') AS level");
    return found('wal-level', {
      title: `wal_level is ${level}; logical replication needs logical`,
      objects: level === 'logical' ? [] : ['wal_level'],
      reason: 'Without it no logical slot can be created, neither for the candidate nor for the rollback.',
      fix: atRestart('wal_level', 'logical'),
    });
  },
};

interface Places {
  readonly slots: number;
  readonly maxSlots: number;
  readonly senders: number;
  readonly maxSenders: number;
  readonly logicalWorkers: number;
  readonly maxLogicalWorkers: number;
  readonly workers: number;
  readonly maxWorkers: number;
  readonly origins: number;
  readonly maxOrigins: number;
  readonly originsSetting: string;
}

/** What is taken by others than us: a release that is run again finds its own slot and is not to count it twice. */
async function places(client: Client): Promise<Places> {
  return one<Places>(
    client,
    `
    SELECT (SELECT count(*) FROM pg_replication_slots
      WHERE slot_name !~ '^verdigris_')::int AS slots, current_setting('max_replication_slots')::int AS "maxSlots",
      (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walsender'
        AND application_name !~ '^verdigris_')::int AS senders, current_setting('max_wal_senders')::int AS "maxSenders",
      (SELECT count(*) FROM pg_subscription WHERE subenabled
        AND subname !~ '^verdigris_')::int AS "logicalWorkers", current_setting('max_logical_replication_workers')::int AS "maxLogicalWorkers",
      (SELECT count(*) FROM pg_stat_activity WHERE application_name !~ '^verdigris'
        AND backend_type NOT IN ('client backend', 'autovacuum launcher', 'autovacuum worker', 'walsender', 'checkpointer', 'background writer',
        'walwriter', 'startup', 'archiver', 'walreceiver', 'parallel worker', 'logger', 'walsummarizer',
          'slotsync worker', 'io worker', 'standalone backend') AND backend_type !~ '^logical replication (.* )?worker$')::int AS workers,
      current_setting('max_worker_processes')::int AS "maxWorkers",
      (SELECT count(*) FROM pg_replication_origin o WHERE NOT EXISTS (SELECT FROM pg_subscription s
        WHERE o.roname = 'pg_' || s.oid AND s.subname ~ '^verdigris_'))::int AS origins,
      coalesce(current_setting('max_active_replication_origins', true), current_setting('max_replication_slots'))::int AS "maxOrigins",
      CASE WHEN current_setting('max_active_replication_origins', true) IS NULL THEN 'max_replication_slots' ELSE
        'max_active_replication_origins' END AS "originsSetting"`,
  );
}

/** Docs: "Logical Replication / Configuration Settings"; origins have a setting of their own from PostgreSQL 18. */
export const capacity: Check = {
  id: 'capacity',
  hazards: [23],
  title: 'free slots, senders, workers and origins',
  on: 'both',
  when: ['seed', 'switch'],
  findings: ['replication-slots', 'wal-senders', 'logical-workers', 'worker-processes', 'replication-origins'],
  needs: (role) => `GRANT pg_read_all_stats TO ${role};`,
  run: async (client, { needs, side }) => {
    await requireStatistics(client);
    const p = await places(client);
    const short = (
      id: WordlessId,
      what: string,
      setting: string,
      taken: number,
      most: number,
      need: number,
      atLeast = 0,
    ): Finding[] =>
      found(id, {
        title: `of ${most} ${what} ${taken} are taken by others; the release needs ${need} and ${Math.max(0, most - taken)} are free`,
        objects: taken + need > most ? [`${setting} = ${most}, needed ${taken + need}`] : [],
        reason: `The ${side} server takes part in the replication of the release in both directions, and would fail halfway.`,
        fix: atRestart(setting, String(Math.max(taken + need, atLeast))),
      });
    const slots = 'max_replication_slots';
    const origins = p.originsSetting;
    // Before PostgreSQL 18 they are one setting: what is run last must be enough for both.
    const both = slots === origins ? Math.max(p.slots + needs.slots, p.origins + needs.origins) : 0;
    return [
      ...short('replication-slots', 'replication slots', slots, p.slots, p.maxSlots, needs.slots, both),
      ...short('wal-senders', 'WAL senders', 'max_wal_senders', p.senders, p.maxSenders, needs.senders),
      ...short(
        'logical-workers',
        'logical replication workers',
        'max_logical_replication_workers',
        p.logicalWorkers,
        p.maxLogicalWorkers,
        needs.logicalWorkers,
      ),
      ...short(
        'worker-processes',
        'worker processes',
        'max_worker_processes',
        p.workers + p.logicalWorkers,
        p.maxWorkers,
        needs.logicalWorkers + (p.maxLogicalWorkers === 0 ? 1 : 0),
      ),
      ...short('replication-origins', 'replication origins', origins, p.origins, p.maxOrigins, needs.origins, both),
    ];
  },
};

/** Docs: max_slot_wal_keep_size; megabytes in pg_settings. */
export const slotWal: Check = {
  id: 'slot-wal',
  hazards: [20],
  title: 'limit of the WAL that slots hold back',
  on: 'live',
  when: everyGate,
  findings: ['slot-wal-unlimited', 'slot-wal-above-budget'],
  run: async (client, { limits }) => {
    // Before PostgreSQL 13 there is no such limit: as if it were set to none.
    const { megabytes } = await one<{ megabytes: number }>(
      client,
      "SELECT coalesce((SELECT setting::int FROM pg_settings WHERE name = 'max_slot_wal_keep_size'), -1) AS megabytes",
    );
    const budget = Math.max(1, Math.ceil(limits.retainedWalBytes / 1024 ** 2));
    const set = `ALTER SYSTEM SET max_slot_wal_keep_size = '${limits.retainedWalBytes > 0 ? budget : 4096}MB';\nSELECT pg_reload_conf();`;
    return [
      ...found('slot-wal-unlimited', {
        grade: limits.retainedWalBytes > 0 ? 'warn' : 'refuse',
        objects: megabytes === -1 ? ['max_slot_wal_keep_size = -1'] : [],
        reason:
          `A candidate that is down fills the live server's disk with WAL. ` +
          `${limits.retainedWalBytes > 0 ? 'Only Verdigris would watch the budget, and only while it runs.' : 'No budget is declared either.'}`,
        fix: inOrder([set]),
      }),
      ...found('slot-wal-above-budget', {
        title: `slots may hold back ${megabytes} MB of WAL, more than the budget of ${budget} MB`,
        objects: limits.retainedWalBytes > 0 && megabytes > budget ? [`max_slot_wal_keep_size = ${megabytes}MB`] : [],
        reason:
          'The server protects its disk only at its own limit; between the two only Verdigris watches, and only while it runs.',
        fix: set,
      }),
    ];
  },
};
