import { lockerRole } from '../../model/names.ts';
import { one, rows, withTransaction, type Client } from '../client.ts';
import { majorOf } from '../major.ts';
import { userSchemas } from '../preflight/tables.ts';
import { ident } from '../quote.ts';
import { grantChecks, grantRelations, predefined } from '../readers-rights.ts';
import { ensureLocker } from '../readers.ts';
import { isSuperuser } from '../superuser.ts';
import { ensureApplies } from './source.ts';

/** The first major that applies rows of a table as its owner, whoever has the subscription. */
const asOwners = 16;

/** The first major that asks for privileges when it applies. */
const asks = 15;

/**
 * Before PostgreSQL 16 what a table's owner puts into indexes, CHECKs, domains and defaults is evaluated by apply as the
 * owner of the subscription. That becomes `verdigris_locker`, who writes all rows and is no superuser. Safe to call
 * again; where the operator is no superuser, everything stays as it is.
 */
export async function handToApplier(subscriber: Client, name: string): Promise<void> {
  if (!(await isSuperuser(subscriber)) || (await majorOf(subscriber)) >= asOwners) return;
  await ensureLocker(subscriber);
  await ensureApplies(subscriber, ident(lockerRole));
  await grantApply(subscriber);
  const { handed } = await one<{ handed: boolean }>(
    subscriber,
    'SELECT pg_get_userbyid(subowner) = $2 AS handed FROM pg_subscription WHERE subname = $1',
    [name, lockerRole],
  );
  if (handed) return;
  // PostgreSQL takes a superuser alone for the owner, and lets him be none afterwards. Nobody sees what is in between.
  await withTransaction(subscriber, async () => {
    await subscriber.query(`ALTER ROLE ${ident(lockerRole)} SUPERUSER`);
    await subscriber.query(`ALTER SUBSCRIPTION ${ident(name)} OWNER TO ${ident(lockerRole)}`);
    await subscriber.query(`ALTER ROLE ${ident(lockerRole)} NOSUPERUSER`);
  });
}

/**
 * What pg_write_all_data does not give: TRUNCATE, and EXECUTE of what is evaluated with a row. Before PostgreSQL 14,
 * which has it not, what it would give: apply finds no table in a schema that it may not use, the barrier's among them.
 * A table that a migration or a job makes later has none of these: called again whenever the published tables are.
 */
export async function grantApply(subscriber: Client): Promise<void> {
  const major = await majorOf(subscriber);
  if (!(await isSuperuser(subscriber)) || major >= asOwners) return;
  await grantRelations(subscriber, lockerRole);
  if (major < predefined) await subscriber.query(`GRANT USAGE ON SCHEMA verdigris TO ${ident(lockerRole)}`);
  await grantChecks(subscriber, lockerRole);
  if (major < asks) return;
  await change(subscriber, 'GRANT TRUNCATE ON %s TO %I', false);
}

/** Once nothing is applied by it any more: a dump of this database is to name no role of Verdigris's. */
export async function takeBackApply(subscriber: Client): Promise<void> {
  const major = await majorOf(subscriber);
  if (major < asks || major >= asOwners || !(await isSuperuser(subscriber))) return;
  const others = await rows(subscriber, 'SELECT FROM pg_subscription WHERE pg_get_userbyid(subowner) = $1', [
    lockerRole,
  ]);
  if (others.length === 0) await change(subscriber, 'REVOKE TRUNCATE ON %s FROM %I', true);
}

/** In one statement, for the tables where the role has TRUNCATE by name, or has it not. */
async function change(subscriber: Client, statement: string, granted: boolean): Promise<void> {
  const [found] = await rows<{ statement: string }>(
    subscriber,
    `SELECT format($2, string_agg(c.oid::regclass::text, ', '), r.rolname) AS statement
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.rolname = $1
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND ${userSchemas} AND $3 = EXISTS (
      SELECT FROM aclexplode(c.relacl) AS a WHERE a.grantee = r.oid AND a.privilege_type = 'TRUNCATE')
    GROUP BY r.rolname`,
    [lockerRole, statement, granted],
  );
  if (found) await subscriber.query(found.statement);
}
