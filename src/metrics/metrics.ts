/** What can be measured of an environment. A value that is not known now has no sample: absence is not zero. */
export const metrics = {
  verdigris_observed: { help: '1 if the journal could be read just now', labels: [] },
  verdigris_state: { help: '1 for the present state of the release, 0 for the others', labels: ['state'] },
  verdigris_live: { help: '1 for the live colour (by the journal), 0 for the other', labels: ['colour'] },
  verdigris_declared_live: {
    help: '1 for the colour declared as live, 0 for the other',
    labels: ['colour'],
  },
  verdigris_routed: {
    help: "1 for the colour that the clients' path sends writes to, 0 for the other",
    labels: ['colour'],
  },
  verdigris_colour_up: {
    help: "1 if a colour's server runs and answers; no sample if the colour does not exist",
    labels: ['colour', 'role'],
  },
  verdigris_database_bytes: { help: 'size of the database', labels: ['colour'] },
  verdigris_path_up: { help: "1 if the clients' path (router or poolers) runs and answers", labels: [] },
  verdigris_operation_age_seconds: {
    help: 'how long the present operation has lasted; 0 if there is none',
    labels: ['verb'],
  },
  verdigris_operator: { help: '1 while somebody holds the lease', labels: [] },
  verdigris_hold_age_seconds: {
    help: "how long clients have been held; 0 if they are not, no sample if the clients' path does not answer",
    labels: [],
  },
  verdigris_credential_age_seconds: {
    help: "age of a role's password; no sample if it was set before ages were recorded",
    labels: ['role'],
  },
  verdigris_canary_percent: { help: 'share of the reads that goes to the other colour', labels: [] },
  verdigris_delivery: {
    help:
      '1 for the phase of the automatic release (walking, waiting, stopped, held, ended), 0 for the others; no ' +
      'sample if there never was one',
    labels: ['phase'],
  },
  verdigris_delivery_end_timestamp_seconds: {
    help: 'when the last automatic release ended, in seconds since 1970',
    labels: ['outcome'],
  },
  verdigris_replication_applying: { help: '1 if the other colour applies changes', labels: ['from', 'to'] },
  verdigris_replication_lag_bytes: { help: 'WAL that the other colour has not confirmed yet', labels: ['from', 'to'] },
  verdigris_replication_lag_seconds: {
    help: 'age of the oldest change that is not confirmed, measured by the sender',
    labels: ['from', 'to'],
  },
  verdigris_slot_healthy: {
    help: '1 if the slot is usable, 0 if it is missing or was invalidated',
    labels: ['from', 'to'],
  },
  verdigris_slot_retained_wal_bytes: {
    help: "WAL that the slot keeps on the publisher's disk",
    labels: ['from', 'to'],
  },
  verdigris_retained_wal_limit_bytes: { help: 'limits.retainedWal: a slot that keeps more is lost', labels: [] },
  verdigris_lossless_rollback_possible: {
    help: '1 if a rollback would lose nothing; only while a rollback is possible',
    labels: [],
  },
  verdigris_troubles: { help: 'number of troubles that `verdigris status` reports', labels: [] },
  verdigris_proof_good: {
    help: '1 if the proof of the verified candidate is still valid; only while a candidate is verified',
    labels: [],
  },
  verdigris_proof_timestamp_seconds: {
    help: 'when the candidate was compared, in seconds since 1970; only while a candidate is verified',
    labels: [],
  },
  verdigris_last_write_pause_seconds: { help: 'how long clients were held at the last switchover', labels: [] },
  verdigris_disk_free_bytes: { help: 'free space on the disk of the journal or of a colour', labels: ['place'] },
  verdigris_disk_bytes: { help: 'size of that disk', labels: ['place'] },
  verdigris_drill_success: { help: '1 if the last drill passed', labels: [] },
  verdigris_drill_end_timestamp_seconds: { help: 'when the last drill ended, in seconds since 1970', labels: [] },
  verdigris_drill_duration_seconds: { help: 'how long the last drill took', labels: [] },
} as const;

export type MetricName = keyof typeof metrics;
