import { setTimeout as delay } from 'node:timers/promises';
import { one, type Client } from '../../postgres/client.ts';
import { migrationRole } from '../../model/names.ts';
import { ignoring } from './ignore.ts';
import { Observations, type Sample } from './observed.ts';

/** Milliseconds between two samples: what is shorter may go unseen. */
export const sampleEvery = 15;

/**
 * The watcher's application_name: some of its sessions are the operator's as those of the migration are, and must not be
 * taken for it.
 */
export const watcher = 'rehearse-watch';

/**
 * Sessions of the migration are those of a tool's login and the operator's ($1), on a clone where nobody else is the
 * operator. pg_blocking_pids waits for every part of the lock table, so it is asked for those only that wait.
 */
const query = `
  WITH locks AS MATERIALIZED (SELECT * FROM pg_locks),
  sessions AS MATERIALIZED (
    SELECT pid, query, query_start, application_name, wait_event_type, state, backend_type,
      usename IN ($1, '${migrationRole}') AND application_name <> 'verdigris/${watcher}' AS migration
    FROM pg_stat_activity WHERE datname = current_database() AND backend_type IN ('client backend', 'parallel worker'))
  SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS at,
    coalesce((SELECT json_agg(pid) FROM sessions WHERE migration), '[]') AS migration,
    coalesce((SELECT json_agg(json_build_object('pid', l.pid, 'table', l.relation::text, 'mode', l.mode))
      FROM locks l JOIN sessions s ON s.pid = l.pid AND s.migration
      WHERE l.granted AND l.locktype = 'relation' AND l.relation >= 16384), '[]') AS held,
    coalesce((SELECT json_agg(json_build_object('pid', s.pid, 'query', left(s.query, 2000), 'application', s.application_name, 'by', pg_blocking_pids(s.pid),
        'table', w.relation::text, 'mode', w.mode, 'since', extract(epoch
          FROM coalesce(w.waitstart, clock_timestamp()))::float8 * 1000, 'begun', extract(epoch FROM s.query_start)::float8 * 1000))
      FROM sessions s JOIN locks w ON w.pid = s.pid AND NOT w.granted
      WHERE s.wait_event_type = 'Lock' AND s.backend_type = 'client backend'), '[]') AS waiting,
    coalesce((SELECT max(extract(epoch FROM clock_timestamp() - query_start)) FROM sessions WHERE state = 'active'
      AND NOT migration AND application_name <> 'verdigris/${watcher}'), 0)::float8 * 1000 AS oldest`;

/**
 * Looks at locks and waits from a session of its own until `stop`; a failure of it is reported there and not earlier.
 */
export function startSampler(
  client: Client,
  operator: string,
): {
  readonly observed: Observations;
  readonly stop: () => Promise<Observations>;
} {
  const observed = new Observations();
  const ending = new AbortController();
  const running = (async () => {
    while (!ending.signal.aborted) {
      const begun = performance.now();
      observed.take(await one<Sample>(client, query, [operator]));
      await delay(Math.max(1, sampleEvery - (performance.now() - begun)), undefined, { signal: ending.signal }).catch(
        ignoring,
      );
    }
    observed.end();
  })();
  running.catch(ignoring);
  return {
    observed,
    stop: async () => {
      ending.abort();
      await running;
      return observed;
    },
  };
}
