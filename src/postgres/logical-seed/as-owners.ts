import { migrationRole } from '../../model/names.ts';
import { rows, type Client } from '../client.ts';
import type { ConnectionSettings } from '../connection.ts';
import { dropLogin, withOwnerLogin } from '../owner-login.ts';
import { withOwnSession } from '../session.ts';
import { isSuperuser } from '../superuser.ts';
import type { SchemaStatement } from './statements.ts';

/** Opens a session for statements, or gives the operator's own. */
type Inside = (use: (session: Client) => Promise<void>) => Promise<void>;

/** Ends what an operator that was killed left at work, so that it is known what is done. */
export async function prepared(operator: Client): Promise<void> {
  if (await isSuperuser(operator)) await dropLogin(operator);
}

/**
 * Statements of a dump run as a login that is a member of those who own what they are of, and of nobody else: not as
 * superuser, for PostgreSQL evaluates what is constant in them. Nor do triggers on DDL see it.
 */
export async function asOwners(
  operator: Client,
  candidate: ConnectionSettings,
  owners: readonly string[],
  use: (inside: Inside) => Promise<void>,
): Promise<void> {
  if (owners.length === 0) return use((run) => run(operator));
  const [{ known } = {}] = await rows<{ known: boolean }>(
    operator,
    "SELECT current_setting('event_triggers', true) IS NOT NULL AS known",
  );
  const settings = { session_replication_role: 'replica', ...(known === true ? { event_triggers: 'off' } : {}) };
  await withOwnerLogin({ client: operator, connection: candidate, owners, settings }, (login) =>
    use((run) =>
      withOwnSession(login, 'seed', async (session) => {
        // An owner's foreign key is checked as it is for him.
        await session.query('SET row_security = on');
        await run(session);
      }),
    ),
  );
}

/**
 * Gives the login what its statements need and its owners lack: they had it once, or somebody else made this for them.
 * It goes with the login.
 */
export async function giveNeeds(operator: Client, statements: readonly SchemaStatement[]): Promise<void> {
  const needs = statements.flatMap((each) => (each.owners.length > 0 ? each.needs : []));
  if (needs.length === 0) return;
  const grants = await rows<{ grant: string }>(
    operator,
    `WITH need AS (SELECT DISTINCT kind, name ->> 0 AS first, name ->> 1 AS second FROM json_to_recordset($1) AS n(kind text, name json))
    SELECT format('%s ON SCHEMA %I', upper(kind), nspname) AS grant FROM need JOIN pg_namespace ON nspname = first
      WHERE kind IN ('usage', 'create') AND nspname !~ '^pg_' AND nspname <> ALL ('{information_schema,verdigris,verdigris_fence}')
        AND NOT has_schema_privilege($2, pg_namespace.oid, kind)
    UNION ALL SELECT format('USAGE ON FOREIGN SERVER %I', srvname) FROM need JOIN pg_foreign_server ON srvname = first
      WHERE kind = 'server' AND NOT has_server_privilege($2, pg_foreign_server.oid, 'USAGE')
    UNION ALL SELECT format('REFERENCES ON %I.%I', nspname, relname) FROM need
      JOIN pg_namespace ON nspname = first JOIN pg_class ON relnamespace = pg_namespace.oid AND relname = second
      WHERE kind = 'references' AND NOT has_table_privilege($2, pg_class.oid, 'REFERENCES')
    UNION ALL SELECT format('EXECUTE ON FUNCTION %I.%I()', nspname, proname) FROM need
      JOIN pg_namespace ON nspname = first JOIN pg_proc ON pronamespace = pg_namespace.oid AND proname = second AND pronargs = 0
      WHERE kind = 'execute' AND NOT has_function_privilege($2, pg_proc.oid, 'EXECUTE')
    UNION ALL SELECT format('CREATE ON TABLESPACE %I', spcname) FROM pg_tablespace
      WHERE spcname !~ '^pg_' AND NOT has_tablespace_privilege($2, oid, 'CREATE')`,
    [JSON.stringify(needs), migrationRole],
  );
  if (grants.length > 0)
    await operator.query(grants.map(({ grant }) => `GRANT ${grant} TO ${migrationRole}`).join('; '));
}
