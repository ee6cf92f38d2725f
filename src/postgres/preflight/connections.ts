import { rows } from '../client.ts';
import { found, type Check } from './check.ts';
import { requireStatistics } from './transactions.ts';

/**
 * LISTEN is visible to its own session only: the last statement of an idle session is a hint. Docs: pg_locks; LISTEN.
 */
export const sessionState: Check = {
  id: 'session-state',
  hazards: [31, 38],
  title: 'state that ends with a connection',
  on: 'live',
  when: ['seed', 'switch'],
  findings: ['session-state'],
  needs: (role) => `GRANT pg_read_all_stats TO ${role};`,
  run: async (client) => {
    await requireStatistics(client);
    const held = await rows<{ what: string }>(
      client,
      `
      SELECT DISTINCT format('pid %s %s: advisory lock', l.pid, a.usename) AS what FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
        WHERE l.locktype = 'advisory' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND a.usename !~ '^verdigris'
      UNION SELECT format('pid %s %s: LISTEN', a.pid, a.usename) FROM pg_stat_activity a
        WHERE a.datname = current_database() AND a.query ~* '^\\s*LISTEN\\s' AND a.state = 'idle' AND a.usename !~ '^verdigris'
      UNION SELECT format('temporary table %s in %s', c.relname, n.nspname) FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relpersistence = 't' AND c.relkind = 'r' AND n.oid <> pg_my_temp_schema() ORDER BY 1`,
    );
    return found('session-state', {
      objects: held.map(({ what }) => what),
      reason:
        'The switchover ends every connection: advisory locks, temporary tables, LISTEN, prepared statements and ' +
        'settings of sessions are gone, and clients must make them again.',
    });
  },
};
