/** What can be measured of an environment. A value that is not known now has no sample: absence is not zero. */
export const metrics = {
  verdigris_observed: { help: '1 where the journal could be read just now', labels: [] },
  verdigris_state: { help: '1 for the state that the release is in, 0 for the others', labels: ['state'] },
  verdigris_live: { help: '1 for the colour that takes writes by the journal, 0 for the other', labels: ['colour'] },
  verdigris_declared_live: {
    help: '1 for the colour that the declaration says is live, 0 for the other',
    labels: ['colour'],
  },
  verdigris_routed: {
    help: '1 for the colour that the clients’ path leads writes to, 0 for the other',
    labels: ['colour'],
  },
  verdigris_colour_up: {
    help: '1 where a colour’s server runs and answers; none where the colour does not exist',
    labels: ['colour', 'role'],
  },
  verdigris_database_bytes: { help: 'size of the database', labels: ['colour'] },
  verdigris_path_up: { help: '1 where the clients’ path (router or poolers) runs', labels: [] },
  verdigris_operation_age_seconds: {
    help: 'how long the operation under way has lasted; 0 where there is none',
    labels: ['verb'],
  },
  verdigris_operator: { help: '1 while somebody holds the lease', labels: [] },
  verdigris_hold_age_seconds: { help: 'how long clients have been held; 0 where they are not', labels: [] },
  verdigris_credential_age_seconds: {
    help: 'how old the password of a role is; none where it came before that was written down',
    labels: ['role'],
  },
  verdigris_canary_percent: { help: 'share of the reads that goes to the other colour', labels: [] },
  verdigris_delivery: {
    help:
      '1 for the phase of the automatic release (walking, waiting, stopped, held, ended), 0 for the others; none ' +
      'where there never was one',
    labels: ['phase'],
  },
  verdigris_delivery_end_timestamp_seconds: {
    help: 'when the last release that walked by itself ended, in seconds since 1970',
    labels: ['outcome'],
  },
  verdigris_replication_applying: { help: '1 where the other colour applies changes', labels: ['from', 'to'] },
  verdigris_replication_lag_bytes: { help: 'WAL that the other colour has not confirmed', labels: ['from', 'to'] },
  verdigris_replication_lag_seconds: {
    help: 'age of the oldest change that is not confirmed, as the sender measures it',
    labels: ['from', 'to'],
  },
  verdigris_slot_healthy: { help: '0 where the slot is missing or was invalidated', labels: ['from', 'to'] },
  verdigris_slot_retained_wal_bytes: {
    help: 'WAL that the slot keeps on the publisher’s disk',
    labels: ['from', 'to'],
  },
  verdigris_retained_wal_limit_bytes: { help: 'limits.retainedWal: beyond it a slot is given up', labels: [] },
  verdigris_lossless_rollback_possible: {
    help: '1 where a rollback would lose nothing; only while there is something to go back to',
    labels: [],
  },
  verdigris_troubles: { help: 'how many things are not as the state promises, by `verdigris status`', labels: [] },
  verdigris_proof_good: {
    help: '1 where what was verified is still worth what it was; only while a candidate is verified',
    labels: [],
  },
  verdigris_proof_timestamp_seconds: {
    help: 'when the candidate was compared, in seconds since 1970; only while a candidate is verified',
    labels: [],
  },
  verdigris_last_write_pause_seconds: { help: 'how long clients were held at the last switchover', labels: [] },
  verdigris_disk_free_bytes: { help: 'room on the disk of the journal or of a colour', labels: ['place'] },
  verdigris_disk_bytes: { help: 'size of that disk', labels: ['place'] },
  verdigris_drill_success: { help: '1 if the last drill passed', labels: [] },
  verdigris_drill_end_timestamp_seconds: { help: 'when the last drill ended, in seconds since 1970', labels: [] },
  verdigris_drill_duration_seconds: { help: 'how long the last drill took', labels: [] },
} as const;

export type MetricName = keyof typeof metrics;
