import { label } from '../catalogue.ts';
import { rows } from '../client.ts';
import { ident } from '../quote.ts';
import { found, inOrder, type Check } from './check.ts';
import { byName, userSchemas, type Relation } from './tables.ts';

const nothing = 'Nothing to do.';

/**
 * Docs: "Logical Replication / Restrictions". dblink and postgres_fdw keep the address of the database they name, on
 * the copy too.
 */
export const foreignTables: Check = {
  id: 'foreign-data',
  hazards: [],
  title: 'foreign tables and servers',
  on: 'live',
  when: ['seed'],
  findings: ['foreign-server-self', 'foreign-tables', 'dblink'],
  run: async (client) => {
    const tables = await rows<Relation & { server: string }>(
      client,
      `
      SELECT n.nspname AS schema, c.relname AS name, s.srvname AS server FROM pg_foreign_table f
        JOIN pg_class c ON c.oid = f.ftrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_foreign_server s ON s.oid = f.ftserver WHERE ${userSchemas} ${byName}`,
    );
    const selves = await rows<{ name: string; options: string }>(
      client,
      `
      SELECT s.srvname AS name, o.options::text AS options FROM pg_foreign_server s
        CROSS JOIN LATERAL (SELECT coalesce(jsonb_object_agg(option_name, option_value), '{}') AS options
          FROM pg_options_to_table(s.srvoptions)) AS o JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
      WHERE w.fdwname IN ('postgres_fdw', 'dblink_fdw')
      AND coalesce(o.options ->> 'port', current_setting('port')) = current_setting('port')
      AND coalesce(o.options ->> 'dbname', current_database()) = current_database()
        AND (coalesce(o.options ->> 'host', '') = ''
        OR o.options ->> 'host' IN ('localhost', '127.0.0.1', '::1', host(inet_server_addr()))
        OR o.options ->> 'host' LIKE '/%') ORDER BY s.srvname COLLATE "C"`,
    );
    const users = await rows<Relation>(
      client,
      `
      SELECT n.nspname AS schema, p.proname AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE ${userSchemas} AND p.prosrc ~* '\\mdblink(_\\w+)?\\s*\\(' AND NOT EXISTS (SELECT FROM pg_depend d
        WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
      ORDER BY n.nspname COLLATE "C", p.proname COLLATE "C"`,
    );
    return [
      ...found('foreign-server-self', {
        objects: selves.map(({ name, options }) => `${name} ${options}`),
        reason:
          'The copy keeps the address: what migrations or clients do through them on the candidate happens on the ' +
          'live database, or after the switchover on the old one.',
        fix: inOrder([
          '-- give them the address of the environment, which follows the live colour; or, where they are not needed:',
          ...selves.map(({ name }) => `DROP SERVER ${ident(name)} CASCADE;`),
        ]),
      }),
      ...found('foreign-tables', {
        objects: tables.map((table) => `${label(table)} of ${table.server}`),
        reason:
          'Both colours read and write the same remote tables through them; migrations must not write there twice.',
        fix: nothing,
      }),
      ...found('dblink', {
        objects: users.map(label),
        reason:
          'What they do elsewhere is not replicated and does not follow the switchover, unless they use the address of the environment.',
        fix: nothing,
      }),
    ];
  },
};
