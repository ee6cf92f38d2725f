import { rows, type Client } from '../client.ts';
import { maintenance, notOfInitdb } from '../maintenance.ts';
import { notOfExtension, notOfUser, userSchema } from '../fingerprint/scope.ts';
import { everyGate, found, type Check } from './check.ts';

/**
 * Those that the release carries are replicated. `postgres` is where tools and operators log in: for tables in it see
 * `strayTables`.
 */
export const databases: Check = {
  id: 'other-databases',
  hazards: [],
  title: 'other databases of the server',
  on: 'live',
  when: everyGate,
  findings: ['other-databases', 'databases-left-out'],
  run: async (client, { ignoreDatabases = [], databases: carried = [], copiedDatabases = [] }) => {
    const others = await rows<{ name: string; left: boolean; shown: string }>(
      client,
      `
      SELECT d.datname AS name, d.datname = ANY ($1) AS left,
        format('%s, %sopen to %s; %s rows written since %s, %s sessions now', d.datname, CASE WHEN d.datistemplate THEN 'a template, ' END,
          coalesce((SELECT string_agg(r.rolname, ', ' ORDER BY r.rolname COLLATE "C") FROM pg_roles r
            WHERE d.datallowconn AND r.rolcanlogin AND NOT ${notOfUser('r.rolname')} AND has_database_privilege(r.oid, d.oid, 'CONNECT')), 'nobody'),
          s.tup_inserted + s.tup_updated + s.tup_deleted, coalesce(s.stats_reset::date::text, 'it was made'), s.numbackends) AS shown
      FROM pg_database d JOIN pg_stat_database s ON s.datid = d.oid
      WHERE ${notOfInitdb('d.datname')} AND d.datname NOT IN ('${maintenance}', current_database()) AND d.datname <> ALL ($2)
      ORDER BY d.datname COLLATE "C"`,
      [ignoreDatabases, [...carried, ...copiedDatabases]],
    );
    const shown = (left: boolean) => others.filter((each) => each.left === left).map((each) => each.shown);
    return [
      ...found('other-databases', {
        objects: shown(false),
        reason: 'They are not replicated: what clients write there is not on the candidate after the switchover.',
      }),
      ...found('databases-left-out', {
        objects: shown(true),
        reason:
          'As declared they are not carried over; and the fence closes the whole server, so their clients are shut out too.',
      }),
    ];
  },
};

/**
 * Tables that somebody has made in the database of the connection: `maintenance` is looked at by one of its own, as no
 * other database can be.
 */
export async function strayTables(client: Client): Promise<string[]> {
  const found = await rows<{ name: string }>(
    client,
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' AND ${userSchema('n.nspname')}
      AND n.nspname <> 'verdigris_journal' AND ${notOfExtension('pg_class', 'c.oid')} ORDER BY 1`,
  );
  return found.map(({ name }) => name);
}
