import { rows } from '../client.ts';
import { everyGate, found, type Check } from './check.ts';

/**
 * One database of a server is replicated. `postgres` is where tools and operators log in, and the templates hold
 * nothing.
 */
export const databases: Check = {
  id: 'other-databases',
  hazards: [],
  title: 'other databases of the server',
  on: 'live',
  when: everyGate,
  findings: ['other-databases'],
  run: async (client, { ignoreDatabases = [] }) => {
    const others = await rows<{ name: string; writers: string }>(
      client,
      `
      SELECT d.datname AS name, coalesce((SELECT string_agg(r.rolname, ', ' ORDER BY r.rolname COLLATE "C") FROM pg_roles r
        WHERE r.rolcanlogin AND r.rolname !~ '^verdigris_' AND has_database_privilege(r.oid, d.oid, 'CONNECT')), 'nobody') AS writers
      FROM pg_database d
      WHERE d.datallowconn AND NOT d.datistemplate AND d.datname NOT IN ('postgres', current_database()) AND d.datname <> ALL ($1)
      ORDER BY d.datname COLLATE "C"`,
      [ignoreDatabases],
    );
    return found('other-databases', {
      objects: others.map(({ name, writers }) => `${name}, open to ${writers}`),
      reason:
        'They are copied once, with the volume, and never followed: what clients write there is lost at the switchover.',
    });
  },
};
