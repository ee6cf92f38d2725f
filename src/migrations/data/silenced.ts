import { one, rows, withFixedPath, type Client } from '../../postgres/client.ts';

/** Triggers that fire for nobody, and those of foreign keys, as `schema.table name`. */
export async function silentTriggers(client: Client): Promise<string[]> {
  const found = await withFixedPath(client, () =>
    rows<{ name: string }>(
      client,
      `SELECT DISTINCT n.nspname || '.' || c.relname || ' ' || coalesce(k.conname, t.tgname) AS name
      FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_constraint k ON k.oid = t.tgconstraint AND t.tgisinternal
      WHERE t.tgenabled = 'D' ORDER BY 1`,
    ),
  );
  return found.map(({ name }) => name);
}

/** Triggers of these tables that migrations have disabled by now; `live`: what fires for nobody on the live colour. */
export async function silencedOf(
  client: Client,
  tables: readonly string[],
  live: readonly string[],
): Promise<string[]> {
  const now = await silentTriggers(client);
  return now.filter((name) => !live.includes(name) && tables.some((table) => name.startsWith(`${table} `)));
}

/** What a file set so that triggers of all tables fire otherwise in its session. */
export async function silentSession(client: Client): Promise<string[]> {
  const { session_replication_role: firing } = await one<{ session_replication_role: string }>(
    client,
    'SHOW session_replication_role',
  );
  return firing === 'origin' ? [] : [`all of session_replication_role = ${firing}`];
}
