import { setTimeout as sleep } from 'node:timers/promises';
import { VerdigrisError } from '../../model/errors.ts';
import { rows, withTransaction, type Client } from '../client.ts';
import { lockPatience, lockWithin } from '../lock-patience.ts';
import { takeToken } from '../token.ts';
import { readFeeds } from './feeds.ts';
import { fenceTrigger } from './graph.ts';
import { requireOwnSchemas } from '../own-schemas.ts';
import { machinery } from './machinery.ts';
import { closedTables, isClosed, isOurs, readFence, withTrigger, type Fenced } from './fence-state.ts';

/** Milliseconds at most that a try to lock the tables queues: others' writers wait behind it. */
const tryFor = 100;

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
  await inTries(client, token, tables, limit, every, async (all) => {
    if (all.length === 0) return;
    await client.query(machinery);
    await requireOwnSchemas(client);
    const made = all
      .filter((each) => !isClosed(each))
      .map(
        ({ table }) =>
          `CREATE OR REPLACE TRIGGER ${fenceTrigger} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON ${table}
            FOR EACH STATEMENT EXECUTE FUNCTION verdigris_fence.refuse();
          ALTER TABLE ONLY ${table} ENABLE ALWAYS TRIGGER ${fenceTrigger}`,
      );
    await client.query(made.join(';') || 'SELECT');
  }).catch((cause: unknown) => {
    throw isOfLocks(cause) ? writtenTo(tables, limit, cause) : cause;
  });
  await requireFencedTables(client, tables);
}

function writtenTo(tables: readonly string[], limit: number, cause: unknown): VerdigrisError {
  return new VerdigrisError('fence-leaks', {
    seen: `A transaction that has written to ${tables.join(', ')} was still open after ${limit} ms.`,
    required: 'no such transaction, so that the tables can be closed.',
    next: 'end it, or let it end; then run the same command again.',
    cause,
  });
}

function every(): boolean {
  return true;
}

/** What a fence that was given up never closed has no lock to wait for: whoever kept it from closing still writes there. */
function mayRefuse({ trigger }: Fenced): boolean {
  return trigger !== null && trigger !== 'D';
}

/**
 * Does it in one transaction with the check of the token, `which` of the tables locked, in tries that queue for their locks no
 * longer than others may wait behind them. VACUUM and ANALYZE of these tables end: they keep their lock for as long as
 * they take. After `limit` ms the error is PostgreSQL's own.
 */
async function inTries(
  client: Client,
  token: number,
  tables: readonly string[],
  limit: number,
  which: (each: Fenced) => boolean,
  work: (locked: readonly Fenced[]) => Promise<void>,
): Promise<void> {
  const end = performance.now() + limit;
  const patience = await lockPatience(client, tryFor);
  for (let pause = 1; ; pause = Math.min(2 * pause, 20)) {
    try {
      return await withTransaction(client, async () => {
        await client.query('SET LOCAL client_min_messages = error');
        await takeToken(client, token);
        await work(await locked(client, tables, which, patience));
      });
    } catch (error) {
      if (!isOfLocks(error) || performance.now() >= end) throw error;
    }
    await endVacuum(client, tables);
    await sleep(pause);
  }
}

/** Locks them against writers. */
async function locked(
  client: Client,
  tables: readonly string[],
  which: (each: Fenced) => boolean,
  patience: number,
): Promise<readonly Fenced[]> {
  const asked = async (): Promise<Fenced[]> => (await readFence(client, tables)).filter(which);
  const named = (await asked()).map(({ table }) => table);
  await lockWithin(client, named, patience);
  const all = await asked();
  // A partition that came meanwhile is not locked.
  if (all.length !== named.length) throw Object.assign(new Error('a partition came'), { code: '55P03' });
  return all;
}

/** 55P03 lock_not_available, 40P01 deadlock_detected */
function isOfLocks(error: unknown): boolean {
  return ['55P03', '40P01'].includes((error as { code?: string }).code ?? '');
}

/**
 * Reads whether each table refuses every writer. To try it would run code of the table's owner as superuser: what is
 * constant in its indexes while the statement is planned, and his triggers before ours.
 * @throws VerdigrisError `part-open`
 */
export async function requireFencedTables(client: Client, tables: readonly string[]): Promise<void> {
  const all = await readFence(client, tables);
  const renamed = await rows<{ name: string }>(
    client,
    'SELECT name FROM unnest($1::text[]) AS t(name) WHERE to_regclass(name) IS NULL',
    [tables],
  );
  const open = [...renamed.map(({ name }) => name), ...all.filter((each) => !isClosed(each)).map(({ table }) => table)];
  const fed = await readFeeds(
    client,
    all.map(({ table }) => table),
  );
  if (open.length === 0 && fed.length === 0) return;
  throw new VerdigrisError('part-open', {
    seen: `${[...open, ...fed].join(', ')} can still be written to.`,
    required: 'tables that refuse every writer: what is written there behind the fence is lost.',
    next: 'find out who renamed the table, took its trigger verdigris_fence away or replaced it, or made the subscription; then run the same command again.',
    facts: { open, fed },
  });
}

/**
 * Opens what `fenceTables` closed, within `limit` ms. Readers are not waited for: the triggers stay, and do nothing.
 * @throws PostgreSQL's 55P03 after that, where somebody keeps a lock: sessions explain it as `lock-timeout`.
 */
export async function openTables(
  client: Client,
  token: number,
  tables: readonly string[],
  limit: number,
): Promise<void> {
  await inTries(client, token, tables, limit, mayRefuse, async (all) => {
    for (const { table } of all) await client.query(`ALTER TABLE ONLY ${table} DISABLE TRIGGER ${fenceTrigger}`);
    // What moved before stays closed.
    if ((await closedTables(client)).length === 0)
      await client.query(
        'DROP EVENT TRIGGER IF EXISTS verdigris_fence_ddl; DROP EVENT TRIGGER IF EXISTS verdigris_fence_drop',
      );
  });
}

/** Takes away triggers that do nothing; whoever reads a table keeps its trigger for now. Says whose stays. */
export async function dropOpened(client: Client): Promise<string[]> {
  const left: string[] = [];
  const patience = await lockPatience(client, tryFor);
  for (const table of await withTrigger(client, "<> 'A'"))
    if (!(await dropTrigger(client, table, patience))) left.push(table);
  const [{ used } = {}] = await rows<{ used: boolean }>(
    client,
    `SELECT EXISTS (SELECT FROM ONLY pg_catalog.pg_trigger g WHERE ${isOurs}) AS used`,
  );
  if (used === false)
    await client.query(
      'SET client_min_messages = error; DROP SCHEMA IF EXISTS verdigris_fence CASCADE; RESET client_min_messages',
    );
  return left;
}

async function dropTrigger(client: Client, table: string, patience: number): Promise<boolean> {
  return withTransaction(client, async () => {
    await client.query(`SET LOCAL lock_timeout = ${patience}; DROP TRIGGER ${fenceTrigger} ON ${table}`);
    return true;
  }).catch((error: unknown) => {
    if (!isOfLocks(error)) throw error;
    return false;
  });
}

async function endVacuum(client: Client, tables: readonly string[]): Promise<void> {
  const all = (await readFence(client, tables)).map(({ table }) => table);
  await client.query(
    `SELECT pg_cancel_backend(pid) FROM (
      SELECT pid FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'
      UNION SELECT pid FROM pg_stat_progress_vacuum UNION SELECT pid FROM pg_stat_progress_analyze) AS v
    WHERE pid IN (SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database
      WHERE l.granted AND d.datname = current_database() AND l.relation = ANY ($1::text[]::regclass[]))`,
    [all],
  );
}
