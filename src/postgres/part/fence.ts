import { VerdigrisError } from '../../model/errors.ts';
import { operatorRole } from '../../model/names.ts';
import { waitFor } from '../../model/wait.ts';
import { rows, withTransaction, type Client } from '../client.ts';
import { ofStream } from '../fingerprint/scope.ts';
import { takeToken } from '../token.ts';
import { fenceTrigger } from './graph.ts';

/** Milliseconds that a try to lock the tables queues: others' writers wait behind it, and no deadlock is looked for. */
const tryFor = 100;

/** SQLSTATE of a writer who is refused: read_only_sql_transaction. */
const refusal = '25006';

/**
 * A schema of its own, because it outlives `verdigris`: what is left of the tables stays closed. The trigger fires for
 * everybody, also where session_replication_role is replica, but for rows that come by replication; of those it hears a
 * TRUNCATE only, and what triggers of other tables write. What takes the trigger away, or the table, is refused to
 * everybody but the operator. ONLY: it is made by a session that sees a part, and must see its own triggers.
 */
const machinery = `
  CREATE SCHEMA IF NOT EXISTS verdigris_fence;
  CREATE OR REPLACE FUNCTION verdigris_fence.refuse() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  BEGIN
    IF TG_OP = 'TRUNCATE' AND EXISTS (
      SELECT FROM pg_stat_activity WHERE pid = pg_backend_pid() AND backend_type LIKE 'logical replication%'
    ) THEN RETURN NULL; END IF;
    RAISE EXCEPTION 'table %.% has moved to another server', TG_TABLE_SCHEMA, TG_TABLE_NAME
      USING ERRCODE = '${refusal}', HINT = 'Its rows here follow those; write there.';
  END $$;
  CREATE OR REPLACE FUNCTION verdigris_fence.refuse_ddl() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DECLARE
    found text;
  BEGIN
    IF session_user = '${operatorRole}' THEN RETURN; END IF;
    IF TG_EVENT = 'sql_drop' THEN
      IF EXISTS (SELECT FROM pg_event_trigger_dropped_objects() WHERE object_type = 'schema' AND object_name = 'verdigris_fence') THEN RETURN; END IF;
      SELECT object_identity INTO found FROM pg_event_trigger_dropped_objects()
        WHERE object_type = 'trigger' AND object_identity ~ '^${fenceTrigger} on ' LIMIT 1;
    ELSE
      WITH RECURSIVE touched(oid) AS (
        SELECT CASE WHEN classid = 'pg_trigger'::regclass THEN (SELECT tgrelid FROM ONLY pg_trigger WHERE oid = objid)
          WHEN classid = 'pg_policy'::regclass THEN (SELECT polrelid FROM pg_policy WHERE oid = objid)
          WHEN classid = 'pg_rewrite'::regclass THEN (SELECT ev_class FROM pg_rewrite WHERE oid = objid) ELSE objid END
        FROM pg_event_trigger_ddl_commands() WHERE classid IN ('pg_class'::regclass, 'pg_trigger'::regclass, 'pg_policy'::regclass, 'pg_rewrite'::regclass)
        UNION SELECT inhparent FROM pg_inherits JOIN touched ON inhrelid = oid)
      SELECT t.oid::regclass::text INTO found FROM touched t JOIN ONLY pg_trigger g ON g.tgrelid = t.oid AND g.tgname = '${fenceTrigger}' LIMIT 1;
    END IF;
    IF found IS NOT NULL THEN
      RAISE EXCEPTION '% has moved to another server', found USING ERRCODE = '${refusal}', HINT = 'Change it there.';
    END IF;
  END $$;
  DROP EVENT TRIGGER IF EXISTS verdigris_fence_ddl;
  DROP EVENT TRIGGER IF EXISTS verdigris_fence_drop;
  CREATE EVENT TRIGGER verdigris_fence_ddl ON ddl_command_end EXECUTE FUNCTION verdigris_fence.refuse_ddl();
  CREATE EVENT TRIGGER verdigris_fence_drop ON sql_drop EXECUTE FUNCTION verdigris_fence.refuse_ddl();
  ALTER EVENT TRIGGER verdigris_fence_ddl ENABLE ALWAYS;
  ALTER EVENT TRIGGER verdigris_fence_drop ENABLE ALWAYS;`;

/** Tables that writers can name, partitions too, with what is known of their triggers. */
interface Fenced {
  readonly table: string;
  /** pg_trigger.tgenabled; null where there is none. */
  readonly trigger: string | null;
}

/** `tables` as they are declared. */
async function readFence(client: Client, tables: readonly string[]): Promise<Fenced[]> {
  return rows<Fenced>(
    client,
    `WITH RECURSIVE part(oid) AS (
      SELECT to_regclass(t)::oid FROM unnest($1::text[]) AS t
      UNION SELECT inhrelid FROM pg_catalog.pg_inherits JOIN part ON inhparent = oid)
    SELECT format('%I.%I', n.nspname, c.relname) AS "table", g.tgenabled AS trigger
    FROM part JOIN ONLY pg_catalog.pg_class c USING (oid) JOIN ONLY pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN ONLY pg_catalog.pg_trigger g ON g.tgrelid = c.oid AND g.tgname = $2 WHERE c.relkind IN ('r', 'p') ORDER BY 1`,
    [tables, fenceTrigger],
  );
}

/**
 * Closes tables to every writer, in one transaction with the check of the token; the rest of the database serves on.
 * Their lock lets readers by, and who has written waits for nobody: it is had when no transaction that wrote is open.
 * @throws VerdigrisError `fence-leaks` after `limit` ms, where somebody keeps a transaction open that has written there.
 */
export async function fenceTables(
  client: Client,
  token: number,
  tables: readonly string[],
  limit: number,
): Promise<void> {
  await waitFor(
    () =>
      close(client, token, tables).catch(async (error: { code?: string }) => {
        // 55P03 lock_not_available, 40P01 deadlock_detected
        if (error.code !== '55P03' && error.code !== '40P01') throw error;
        await endVacuum(client, tables);
        return undefined;
      }),
    {
      limit,
      every: 1,
      slowest: 20,
      id: 'fence-leaks',
      what: `no open transaction that has written to ${tables.join(', ')}`,
      next: 'end it, or let it end; then run the same command again.',
    },
  );
  await requireFencedTables(client, tables);
}

async function close(client: Client, token: number, tables: readonly string[]): Promise<true> {
  return withTransaction(client, async () => {
    await takeToken(client, token);
    await client.query(`SET LOCAL lock_timeout = ${tryFor}; SET LOCAL client_min_messages = error`);
    const named = (await readFence(client, tables)).map(({ table }) => table);
    await client.query(`LOCK TABLE ${named.map((table) => `ONLY ${table}`).join(', ')} IN SHARE ROW EXCLUSIVE MODE`);
    // A partition that came meanwhile is not locked.
    const all = await readFence(client, tables);
    if (all.length !== named.length) throw Object.assign(new Error('a partition came'), { code: '55P03' });
    await client.query(machinery);
    const made = all.map(({ table, trigger }) =>
      [
        ...(trigger === null
          ? [
              `CREATE TRIGGER ${fenceTrigger} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ${table}
                FOR EACH STATEMENT EXECUTE FUNCTION verdigris_fence.refuse()`,
            ]
          : []),
        ...(trigger === 'A' ? [] : [`ALTER TABLE ONLY ${table} ENABLE ALWAYS TRIGGER ${fenceTrigger}`]),
      ].join(';'),
    );
    await client.query(made.filter(Boolean).join(';') || 'SELECT');
    return true as const;
  });
}

/** Tries to write to each table as who may do anything, and to change one. @throws VerdigrisError `part-open` */
export async function requireFencedTables(client: Client, tables: readonly string[]): Promise<void> {
  const all = await readFence(client, tables);
  const open: string[] = [];
  for (const { table, trigger } of all)
    if (trigger !== 'A' || !(await isRefused(client, `DELETE FROM ONLY ${table} WHERE false`))) open.push(table);
  const fed = await readFeeds(
    client,
    all.map(({ table }) => table),
  );
  if (open.length === 0 && fed.length === 0 && all.length > 0) return;
  throw new VerdigrisError('part-open', {
    seen: `${[...open, ...fed].join(', ') || 'none of the tables'} can still be written to.`,
    required: 'tables that refuse every writer: what is written there behind the fence is lost.',
    next: 'find out who took the trigger verdigris_fence away, or made the subscription; then run the same command again.',
    facts: { open, fed },
  });
}

/** Tables with the subscriptions of others whose rows arrive there: no trigger hears those. */
export async function readFeeds(client: Client, tables: readonly string[]): Promise<string[]> {
  const found = await rows<{ fed: string }>(
    client,
    `SELECT format('%s (by the subscription %I)', r.srrelid::regclass, s.subname) AS fed
    FROM ONLY pg_catalog.pg_subscription_rel r JOIN ONLY pg_catalog.pg_subscription s ON s.oid = r.srsubid
    WHERE r.srrelid = ANY ($1::text[]::regclass[]) AND NOT ${ofStream('s.subname')} ORDER BY 1`,
    [tables],
  );
  return found.map(({ fed }) => fed);
}

async function isRefused(client: Client, statement: string): Promise<boolean> {
  await client.query('BEGIN; SET LOCAL session_replication_role = replica');
  try {
    await client.query(statement);
    return false;
  } catch (error) {
    if ((error as { code?: string }).code !== refusal) throw error;
    return true;
  } finally {
    await client.query('ROLLBACK');
  }
}

/** Opens what `fenceTables` closed. Readers are not waited for: the triggers stay, and do nothing. */
export async function openTables(client: Client, token: number, tables: readonly string[]): Promise<void> {
  await withTransaction(client, async () => {
    await takeToken(client, token);
    await client.query('SET LOCAL client_min_messages = error');
    for (const { table, trigger } of await readFence(client, tables))
      if (trigger !== null) await client.query(`ALTER TABLE ONLY ${table} DISABLE TRIGGER ${fenceTrigger}`);
    // What moved before stays closed.
    if ((await closedTables(client)).length === 0)
      await client.query(
        'DROP EVENT TRIGGER IF EXISTS verdigris_fence_ddl; DROP EVENT TRIGGER IF EXISTS verdigris_fence_drop',
      );
  });
}

/** Takes away triggers that do nothing; whoever reads a table keeps its trigger for now. Says whose stays. */
export async function dropOpened(client: Client, tables: readonly string[]): Promise<string[]> {
  const left: string[] = [];
  for (const { table, trigger } of await readFence(client, tables))
    if (trigger !== null && trigger !== 'A' && !(await dropTrigger(client, table))) left.push(table);
  const [{ used } = {}] = await rows<{ used: boolean }>(
    client,
    'SELECT EXISTS (SELECT FROM ONLY pg_catalog.pg_trigger WHERE tgname = $1) AS used',
    [fenceTrigger],
  );
  if (used === false)
    await client.query(
      'SET client_min_messages = error; DROP SCHEMA IF EXISTS verdigris_fence CASCADE; RESET client_min_messages',
    );
  return left;
}

async function dropTrigger(client: Client, table: string): Promise<boolean> {
  return withTransaction(client, async () => {
    await client.query(`SET LOCAL lock_timeout = ${tryFor}; DROP TRIGGER ${fenceTrigger} ON ${table}`);
    return true;
  }).catch((error: { code?: string }) => {
    if (error.code !== '55P03') throw error;
    return false;
  });
}

/** Vacuum keeps a table from being locked, and gives way to others only after a second. */
async function endVacuum(client: Client, tables: readonly string[]): Promise<void> {
  const all = (await readFence(client, tables)).map(({ table }) => table);
  await client.query(
    `SELECT pg_cancel_backend(a.pid) FROM pg_stat_activity a JOIN pg_locks l USING (pid)
    WHERE a.backend_type = 'autovacuum worker' AND l.relation = ANY ($1::text[]::regclass[])`,
    [all],
  );
}

/** Those of these tables that are closed; without any, of whatever release. */
export async function closedTables(client: Client, tables?: readonly string[]): Promise<string[]> {
  if (tables)
    return (await readFence(client, tables)).flatMap(({ table, trigger }) => (trigger === 'A' ? [table] : []));
  return (
    await rows<{ name: string }>(
      client,
      "SELECT tgrelid::regclass::text AS name FROM ONLY pg_catalog.pg_trigger WHERE tgname = $1 AND tgenabled = 'A' ORDER BY 1",
      [fenceTrigger],
    )
  ).map(({ name }) => name);
}
