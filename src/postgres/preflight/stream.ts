import { rows } from '../client.ts';
import { ident, literal } from '../quote.ts';
import { found, inOrder, type Check } from './check.ts';

interface OurSlot {
  readonly name: string;
  readonly status: string;
  readonly retained: number;
}

/** Docs: pg_replication_slots.wal_status. */
export const ourSlots: Check = {
  id: 'our-slots',
  hazards: [20, 21],
  title: "the release's own slots",
  on: 'both',
  when: ['migrate', 'switch'],
  findings: ['slot-lost', 'slot-retains'],
  run: async (client, { limits }) => {
    // What a slot of a witness lost, nobody waits for.
    const slots = await rows<OurSlot>(
      client,
      `
      SELECT slot_name AS name, coalesce(wal_status, 'lost') AS status, coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::float8 AS retained
      FROM pg_replication_slots WHERE slot_name ~ '^verdigris_' AND slot_name !~ '_proof$'
        AND slot_type = 'logical' ORDER BY slot_name COLLATE "C"`,
    );
    return [
      ...found('slot-lost', {
        title: 'the slot has lost WAL that the other colour still needs',
        objects: slots.filter(({ status }) => status === 'lost').map(({ name }) => name),
        reason: 'What was written since can no longer be sent: the other colour can never catch up.',
        fix: 'verdigris abandon, then verdigris seed: a new candidate is needed.',
      }),
      ...found('slot-retains', {
        objects: slots
          .filter(
            ({ status, retained }) =>
              status === 'unreserved' ||
              (status !== 'lost' && limits.retainedWalBytes > 0 && retained > limits.retainedWalBytes / 2),
          )
          .map(({ name, status, retained }) => `${name}: ${Math.round(retained / 1024 ** 2)} MB, ${status}`),
        reason:
          'When the limit is reached the server removes that WAL and the candidate is lost; without a limit the disk fills.',
      }),
    ];
  },
};

/** Docs: pg_stat_subscription_stats; a lost connection counts as an error of apply. */
export const applyHealth: Check = {
  id: 'apply-health',
  hazards: [16],
  title: 'errors of apply',
  on: 'candidate',
  when: ['migrate', 'switch'],
  findings: ['apply-stopped', 'apply-errors'],
  needs: (role) => `GRANT SELECT (oid, subname, subdbid, subenabled) ON pg_catalog.pg_subscription TO ${role};`,
  run: async (client) => {
    const ours = await rows<{ name: string; enabled: boolean; errors: number }>(
      client,
      `
      SELECT s.subname AS name, s.subenabled AS enabled, coalesce((SELECT st.apply_error_count
        FROM pg_stat_subscription_stats st WHERE st.subid = s.oid), 0)::int AS errors
      FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid AND d.datname = current_database()
      WHERE s.subname ~ '^verdigris_' ORDER BY s.subname COLLATE "C"`,
    );
    return [
      ...found('apply-stopped', {
        title: 'the subscription is disabled',
        objects: ours.filter(({ enabled }) => !enabled).map(({ name }) => name),
        reason:
          'The candidate no longer follows the live database. Somebody disabled it; or the server went through a major upgrade, ' +
          'which forgets what was applied: then abandon and seed again.',
        fix: inOrder([
          '-- only if you know that it was disabled and nothing else:',
          ...ours.filter(({ enabled }) => !enabled).map(({ name }) => `ALTER SUBSCRIPTION ${ident(name)} ENABLE;`),
        ]),
      }),
      ...found('apply-errors', {
        objects: ours.filter(({ errors }) => errors > 0).map(({ name, errors }) => `${name}: ${errors}`),
        reason:
          'A lost connection is counted too; but a conflict means that a row on the candidate is not what the live ' +
          'database thinks: somebody else wrote there, or the copy is not exact.',
        fix: inOrder([
          '-- only after verify has compared all rows and found them equal:',
          ...ours
            .filter(({ errors }) => errors > 0)
            .map(
              ({ name }) =>
                `SELECT pg_stat_reset_subscription_stats(oid) FROM pg_catalog.pg_subscription WHERE subname = ${literal(name)};`,
            ),
        ]),
      }),
    ];
  },
};
