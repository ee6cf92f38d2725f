import pg from 'pg';
import { count } from '../../model/count.ts';
import type { Lsn } from '../../model/lsn.ts';
import { readTables } from '../../postgres/catalogue.ts';
import type { Stream } from '../../model/journal.ts';
import { one, type Client } from '../../postgres/client.ts';
import { localChanges, showLocalChanges, type LocalChanges } from '../../postgres/local-changes.ts';
import { mapTables } from '../../postgres/mapping.ts';
import { isUnidentified } from '../../postgres/row-identity.ts';
import { createSlot, dropSlot, readSlot, withSlot } from '../../postgres/stream/slot.ts';
import { forgetMarkers, publish, unpublish } from '../../postgres/stream/publication.ts';
import type { Context } from '../engine/context.ts';
import { compareRows } from './compare-rows.ts';

/**
 * From here on the candidate's log is kept, so that what is written there other than by replication is known exactly.
 * Counters of PostgreSQL would count replication's writes with it. Left out is what may not be published: replication's
 * own UPDATE would fail there.
 */
export async function beginWitness(c: Context, name: string): Promise<void> {
  const { common } = mapTables(await c.on(c.live, readTables), await c.on(c.idle, readTables), 'forward');
  await c.on(c.idle, async (client) => {
    await publish(
      client,
      name,
      common.flatMap(({ to }) => (isUnidentified(to) || to.persistence === 'unlogged' ? [] : [{ table: to }])),
    );
    await createSlot(client, name, c.environment.limits.slotCreation);
    await showLocalChanges(client);
  });
}

/** Slot on the colour that is not live that sees who writes there otherwise, since a comparison or the switchover. */
export function proofWitness({ name }: Stream): string {
  return `${name}_proof`;
}

/**
 * A stream that has ended goes, and its slot lives on as a witness: all that it has not sent was written since by others.
 * Not where nothing bounds the log that a slot keeps: nobody reads this one until a rollback. Its publication stays, as
 * the log is read by what was there when it was written.
 */
export async function keepWitness(client: Client, ended: string, witness: string): Promise<void> {
  if (!(await isBounded(client)) || !(await copied(client, ended, witness))) return unpublish(client, ended);
  await dropSlot(client, ended);
  await forgetMarkers(client, ended);
}

async function isBounded(client: Client): Promise<boolean> {
  const { bounded } = await one<{ bounded: boolean }>(
    client,
    "SELECT coalesce(current_setting('max_slot_wal_keep_size', true), '-1') <> '-1' AS bounded",
  );
  return bounded;
}

/** False where the server refuses it: others took the last slot, or the log is lost. No switchover stays open for that. */
async function copied(client: Client, ended: string, witness: string): Promise<boolean> {
  const copy = client.query(
    `SELECT pg_copy_logical_replication_slot(slot_name, $2) FROM pg_replication_slots s
    WHERE slot_name = $1 AND NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $2)`,
    [ended, witness],
  );
  return copy.then(
    () => true,
    (error: unknown) => {
      if (error instanceof pg.DatabaseError) return false;
      throw error;
    },
  );
}

export interface Witnessed {
  readonly changes: readonly LocalChanges[];
  /** All that was committed before this was seen. */
  readonly until: Lsn;
}

/**
 * What was written since, other than by replication, to tables that both colours have; undefined where the log was not
 * kept.
 */
export async function witnessed(c: Context, name: string, publication = name): Promise<Witnessed | undefined> {
  return c.on(c.idle, async (client) => {
    const slot = await readSlot(client, name);
    if (!slot || slot.walStatus === 'lost') return undefined;
    const { until } = await one<{ until: Lsn }>(client, 'SELECT pg_current_wal_flush_lsn()::text AS until');
    const changes = await withSlot(client, name, c.looking, () => localChanges(client, name, publication));
    return { changes, until };
  });
}

/** As `differing`; what was seen and found to be right is not looked at again, and its log not kept. */
export async function differingSince(c: Context, name: string, { changes, until }: Witnessed): Promise<LocalChanges[]> {
  const wrong = await differing(c, changes);
  if (wrong.length === 0) await forgetUntil(c, name, until);
  return wrong;
}

async function forgetUntil(c: Context, name: string, until: Lsn): Promise<void> {
  const advance =
    'SELECT pg_replication_slot_advance(slot_name, $2) FROM pg_replication_slots WHERE slot_name = $1 AND confirmed_flush_lsn < $2';
  await c.on(c.idle, (client) => withSlot(client, name, false, () => client.query(advance, [name, until])));
}

/** Those of the tables whose rows differ now: what was written into columns that are new is no difference. */
export async function differing(c: Context, changes: readonly LocalChanges[]): Promise<LocalChanges[]> {
  if (changes.length === 0) return [];
  const written = new Map(changes.map((change) => [`${change.schema}.${change.name}`, change]));
  const { tables } = await compareRows(c, {}, (table) => written.has(table));
  return tables.flatMap(({ table, differences, unexaminedChunks }) => {
    const change = written.get(table);
    return change && differences.length + unexaminedChunks > 0 ? [change] : [];
  });
}

/** As the statement would begin that did it. */
export function asStatements({
  schema,
  name,
  inserted,
  updated,
  deleted,
  truncated,
}: Omit<LocalChanges, 'transactions'>): string[] {
  const table = schema === 'public' ? name : `${schema}.${name}`;
  const kinds: readonly (readonly [string, number])[] = [
    ['INSERT INTO', inserted],
    ['UPDATE', updated],
    ['DELETE FROM', deleted],
  ];
  return [
    ...kinds.flatMap(([verb, rows]) => (rows > 0 ? [`${verb} ${table} (${count(rows, 'row')})`] : [])),
    ...(truncated > 0 ? [`TRUNCATE ${table}`] : []),
  ];
}
