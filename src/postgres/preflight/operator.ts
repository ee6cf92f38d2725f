import { one, rows } from '../client.ts';
import { ident } from '../quote.ts';
import { qualified } from '../catalogue.ts';
import { everyGate, found, inOrder, type Check } from './check.ts';
import { userSchemas } from './tables.ts';

interface Abilities {
  readonly role: string;
  readonly database: string;
  readonly superuser: boolean;
  readonly major: number;
  readonly replication: boolean;
  readonly createrole: boolean;
  readonly create: boolean;
  readonly monitor: boolean;
  readonly signal: boolean;
  readonly checkpoint: boolean;
  /** False before PostgreSQL 16, where only a superuser makes subscriptions. */
  readonly subscribe: boolean;
  readonly origins: boolean;
}

/**
 * What the steps of a release do: slots (REPLICATION), fence (CREATEROLE, pg_signal_backend), control schema and
 * publication (CREATE on the database, ownership of the tables), subscription and origin. Docs: CREATE PUBLICATION,
 * CREATE SUBSCRIPTION, "Predefined Roles", "Replication Management Functions". A superuser has all of it.
 */
export const operator: Check = {
  id: 'operator',
  hazards: [15, 33],
  title: "privileges of Verdigris's own role",
  on: 'both',
  when: everyGate,
  findings: ['operator-privileges'],
  by: 'operator',
  run: async (client) => {
    const can = await one<Abilities>(
      client,
      `
      SELECT current_user AS role, current_database() AS database, r.rolsuper AS superuser,
        current_setting('server_version_num')::int / 10000 AS major, r.rolreplication AS replication, r.rolcreaterole AS createrole,
        has_database_privilege(current_database(), 'CREATE') AS create, pg_has_role('pg_monitor', 'USAGE') AS monitor,
          pg_has_role('pg_signal_backend', 'USAGE') AS signal,
        pg_has_role('pg_checkpoint', 'USAGE') AS checkpoint, coalesce((SELECT pg_has_role(s.oid, 'USAGE')
          FROM pg_roles s WHERE s.rolname = 'pg_create_subscription'), false) AS subscribe,
        has_function_privilege('pg_replication_origin_advance(text, pg_lsn)', 'EXECUTE') AS origins
      FROM pg_roles r WHERE r.rolname = current_user`,
    );
    const foreign = can.superuser
      ? []
      : await rows<{ schema: string; name: string; owner: string }>(
          client,
          `
      SELECT n.nspname AS schema, c.relname AS name, pg_get_userbyid(c.relowner) AS owner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND ${userSchemas}
      AND NOT pg_has_role(c.relowner, 'USAGE') ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`,
        );
    const role = ident(can.role);
    const wants: readonly (readonly [missing: boolean, what: string, fix: string])[] = [
      [!can.replication, 'REPLICATION', `ALTER ROLE ${role} REPLICATION;`],
      [!can.createrole, 'CREATEROLE', `ALTER ROLE ${role} CREATEROLE;`],
      [
        !can.create,
        `CREATE on database ${can.database}`,
        `GRANT CREATE ON DATABASE ${ident(can.database)} TO ${role};`,
      ],
      [!can.monitor, 'pg_monitor', `GRANT pg_monitor TO ${role};`],
      [!can.signal, 'pg_signal_backend', `GRANT pg_signal_backend TO ${role};`],
      [
        !can.subscribe,
        can.major < 16 ? 'superuser, for subscriptions before PostgreSQL 16' : 'pg_create_subscription',
        can.major < 16 ? `ALTER ROLE ${role} SUPERUSER;` : `GRANT pg_create_subscription TO ${role};`,
      ],
      [
        !can.origins && !can.checkpoint,
        'pg_checkpoint, or EXECUTE on pg_replication_origin_advance',
        `GRANT pg_checkpoint TO ${role};`,
      ],
      ...foreign.map(
        ({ owner, ...table }) =>
          [true, `ownership of ${qualified(table)}`, `GRANT ${ident(owner)} TO ${role};`] as const,
      ),
    ];
    const missing = can.superuser ? [] : wants.filter(([is]) => is);
    return found('operator-privileges', {
      title: `role ${can.role} lacks what a release needs`,
      objects: missing.map(([, what]) => what),
      reason: 'A later step of the release would fail without it; a superuser has all of it.',
      fix: inOrder(missing.map(([, , fix]) => fix)),
    });
  },
};
