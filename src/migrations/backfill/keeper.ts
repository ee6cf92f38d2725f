import { createHash } from 'node:crypto';
import { qualified, type Table } from '../../postgres/catalogue.ts';
import { one, rows, withTransaction, type Client } from '../../postgres/client.ts';
import { ident, literal } from '../../postgres/quote.ts';
import { isSuperuser } from '../../postgres/superuser.ts';
import type { ValueSettings } from '../data/settings.ts';
import type { Backfill } from './files.ts';
import type { BackfillPlan } from './plan.ts';

/** Triggers and functions of ours begin with this; fingerprints leave them out. */
const prefix = 'verdigris_backfill_';

function nameOf(backfill: string): string {
  return `${prefix}${createHash('sha256').update(backfill).digest('hex').slice(0, 12)}`;
}

/**
 * Fills rows on their way in by replication, so that a backfill that is complete stays so. Enabled for the replica role
 * alone: it fires for apply and for our own batches, never for clients. What it cannot compute it lets pass as it came,
 * for replication must not stop for it: such a row is found again as drifted. Stored without a lock that would be
 * waited for longer than `lockTimeout`.
 */
export async function installKeeper(
  client: Client,
  { backfill, table }: BackfillPlan,
  { path, owner }: { readonly path: string; readonly owner: string | undefined },
  lockTimeout: number,
): Promise<void> {
  await withTransaction(client, async () => {
    await client.query(`SET LOCAL lock_timeout = ${lockTimeout}`);
    await makeKeeper(client, backfill, table, { path, owner });
    await fireKeeper(client, backfill, table);
  });
}

/**
 * Its function, in a session of the operator's with a fixed path; `path` is what its own names are found by, `settings`
 * what it computes by. It runs as `owner` whoever applies: before PostgreSQL 16 that is a superuser.
 */
export async function makeKeeper(
  client: Client,
  backfill: Pick<Backfill, 'name' | 'assignments' | 'where'>,
  table: Pick<Table, 'name'>,
  {
    path,
    owner,
    settings = {},
  }: { readonly path: string; readonly owner: string | undefined; readonly settings?: ValueSettings },
): Promise<void> {
  const set = Object.entries(settings).map(([setting, value]) => ` SET ${ident(setting)} = ${literal(value)}`);
  const name = nameOf(backfill.name);
  const definer = owner !== undefined && (await isSuperuser(client));
  const taken = backfill.assignments.map(({ expression }, index) => `(${expression}\n) AS v${index}`).join(', ');
  const given = backfill.assignments.map(({ column }, index) => `NEW.${ident(column)} := filled.v${index};`).join(' ');
  const body = `
#variable_conflict use_column
DECLARE filled record;
BEGIN
  SELECT ${taken} INTO filled FROM (SELECT (NEW).*) AS ${ident(table.name)} WHERE (${backfill.where}
  );
  IF FOUND THEN ${given} END IF;
  RETURN NEW;
EXCEPTION WHEN OTHERS THEN
  RETURN NEW;
END`;
  // Of two who replace one function at once PostgreSQL fails the later: it is to find what the other one made.
  await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [name]);
  await client.query(
    `CREATE OR REPLACE FUNCTION verdigris.${ident(name)}() RETURNS trigger LANGUAGE plpgsql SECURITY ${definer ? 'DEFINER' : 'INVOKER'}
      SET search_path = ${searchPath(path)}${set.join('')} AS ${literal(body)}`,
  );
  if (definer) await client.query(`ALTER FUNCTION verdigris.${ident(name)}() OWNER TO ${ident(owner)}`);
  await client.query(`COMMENT ON FUNCTION verdigris.${ident(name)}() IS ${literal(backfill.name)}`);
}

/**
 * Its trigger, in the caller's transaction, which may be the one that made the table what it is. Triggers of a table
 * fire in the order of their names: what was filled first is numbered first, because a later one may need its column.
 */
export async function fireKeeper(
  client: Client,
  backfill: Pick<Backfill, 'name'>,
  table: Pick<Table, 'schema' | 'name'>,
): Promise<void> {
  const found = nameOf(backfill.name);
  // The function alone takes no lock on the table: a second run and a changed text need no more.
  const { there, last } = await one<{ there: boolean; last: number }>(
    client,
    `SELECT coalesce(bool_or(p.proname = $1), false) AS there, coalesce(max(substring(t.tgname::text FROM $2)::int), 0) AS last
    FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid WHERE t.tgrelid = $3::pg_catalog.regclass`,
    [found, `^${prefix}(\\d{4})_`, qualified(table)],
  );
  if (there) return;
  const name = found.replace(prefix, `${prefix}${String(last + 1).padStart(4, '0')}_`);
  await client.query(
    `CREATE TRIGGER ${ident(name)} BEFORE INSERT OR UPDATE ON ${qualified(table)} FOR EACH ROW EXECUTE FUNCTION verdigris.${ident(found)}()`,
  );
  // On the partitions too, which is where rows of a partitioned table arrive.
  for (const { relation } of await rows<{ relation: string }>(
    client,
    'SELECT DISTINCT tgrelid::pg_catalog.regclass::pg_catalog.text AS relation FROM pg_catalog.pg_trigger WHERE tgname = $1',
    [name],
  ))
    await client.query(`ALTER TABLE ${relation} ENABLE REPLICA TRIGGER ${ident(name)}`);
}

/** As SET takes it: a list of names, not one text. */
function searchPath(setting: string): string {
  return setting.trim() === '' ? "''" : setting;
}

/** Takes away those of the backfills named, or all: nothing arrives by replication any more, or the file is gone. */
export async function removeKeepers(client: Client, backfills?: readonly string[]): Promise<void> {
  const wanted = backfills?.map(nameOf);
  for (const { name } of await rows<{ name: string }>(
    client,
    `SELECT p.proname AS name FROM pg_proc p WHERE p.pronamespace = to_regnamespace('verdigris') AND starts_with(p.proname, $1)`,
    [prefix],
  )) {
    if (wanted && !wanted.includes(name)) continue;
    await client.query(`DROP FUNCTION verdigris.${ident(name)}() CASCADE`);
  }
}
