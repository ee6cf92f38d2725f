import { createHash } from 'node:crypto';
import { label, qualified, type Table } from './catalogue.ts';
import { rows, type Client } from './client.ts';
import { isStandIn } from './fingerprint/scope.ts';
import { ident } from './quote.ts';

/**
 * Columns by which apply finds a row that another side changed and that side does not send: with one of them, the first
 * UPDATE or DELETE stops replication. Apply takes its own replica identity, else its primary key; with neither, the
 * whole row has to be sent (logicalrep_rel_mark_updatable of PostgreSQL's relation.c).
 */
export function unsentIdentity(source: Table, target: Table): readonly string[] {
  if (source.replicaIdentity === 'full') return [];
  const own = target.identity.length > 0 ? target.identity : target.primaryKey;
  return own.length === 0 ? ['the whole row'] : own.filter((column) => !source.identity.includes(column));
}

/** Whether UPDATE and DELETE fail on it as soon as it is published. */
export function isUnidentified({ replicaIdentity, identity }: Table): boolean {
  return replicaIdentity !== 'full' && identity.length === 0;
}

/**
 * Columns by which `target` can find the rows of `source` in place of its own key: those that the other side sends. A
 * release may change a primary key so; a unique index over them stands in until the writes move.
 */
export function standIn(source: Table, target: Table): readonly string[] | undefined {
  const there = source.identity.map((name) => target.columns.find((column) => column.name === name));
  const fits =
    target.replicaIdentity === 'default' &&
    !target.partitioned &&
    there.length > 0 &&
    there.every((column) => column?.notNull);
  return fits && unsentIdentity(source, target).length > 0 ? source.identity : undefined;
}

/**
 * Gives the subscriber the indexes that stand in for its own keys, and says whether there were any. Each takes a SHARE
 * lock while it is built.
 */
export async function makeStandIns(from: readonly Table[], to: readonly Table[], subscriber: Client): Promise<boolean> {
  let made = false;
  const there = new Map(to.map((table) => [label(table), table]));
  for (const source of from) {
    const target = there.get(label(source));
    const columns = target && standIn(source, target);
    if (!columns) continue;
    const name = ident(`verdigris_identity_${createHash('sha256').update(label(source)).digest('hex').slice(0, 12)}`);
    const list = columns.map((column) => ident(column)).join(', ');
    await subscriber.query(`CREATE UNIQUE INDEX IF NOT EXISTS ${name} ON ${qualified(source)} (${list})`);
    await subscriber.query(`ALTER TABLE ${qualified(source)} REPLICA IDENTITY USING INDEX ${name}`);
    made = true;
  }
  return made;
}

/** Takes them away before the first write of software that may break them. */
export async function dropStandIns(client: Client): Promise<void> {
  const found = await rows<{ schema: string; table: string; index: string }>(
    client,
    `SELECT n.nspname AS schema, t.relname AS table, x.relname AS index FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
     JOIN pg_catalog.pg_class t ON t.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace WHERE ${isStandIn('x.relname')}`,
  );
  for (const { schema, table, index } of found) {
    await client.query(`ALTER TABLE ${ident(schema, table)} REPLICA IDENTITY DEFAULT`);
    await client.query(`DROP INDEX ${ident(schema, index)}`);
  }
}
