/**
 * SQL: what clients tell servers by. It is cluster_name; of a server that has none, as an adopted one may, its system
 * identifier and timeline, which no other server that takes writes has: a copy of it leaves its timeline when it is
 * promoted.
 */
export const serverName = `CASE WHEN current_setting('cluster_name') <> '' THEN current_setting('cluster_name')
  ELSE (SELECT system_identifier FROM pg_control_system()) || ' timeline ' || CASE WHEN pg_is_in_recovery() THEN
  'of recovery' ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END END`;
