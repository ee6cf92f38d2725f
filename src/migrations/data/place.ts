import { label, type Table } from '../../postgres/catalogue.ts';
import { asLogin, one, rows, withFixedPath, type Client } from '../../postgres/client.ts';
import { ident } from '../../postgres/quote.ts';
import { countScans, mayReadTables, readViewTables, type TableScans } from '../../postgres/row-reads.ts';
import { countWrites } from '../../postgres/row-writes.ts';
import { fireKeeper, makeKeeper } from '../backfill/keeper.ts';
import type { Fill } from './fill.ts';
import { keepHeld, readHeld } from './held.ts';
import type { FromFile } from './statement.ts';
import { judgeStatement, throughViews } from './judge.ts';
import type { PlaceNote } from './note.ts';
import { restedOn, sharedWrites } from './observed.ts';
import type { DataPolicy } from './policy.ts';
import type { DataStatement, NamedRelation } from './read.ts';
import { carrying, withCarried } from './carried.ts';
import { cannotBeHeld, heldAsSuperuser, heldNeedsSession, heldWithoutTriggers } from './refusals.ts';
import { silencedOf, silentSession } from './silenced.ts';
import { valueSettings } from './settings.ts';

export interface Placing {
  readonly client: Client;
  /** The operator's session, without a transaction of its own. */
  readonly operator: Client;
  readonly policy: DataPolicy;
  readonly release: string;
  /** Whether the file runs as superuser by its note. */
  readonly superuser: boolean;
}

/**
 * Runs a statement that may write rows where it belongs, inside the caller's transaction on the candidate: there, or it
 * is kept for the switchover. What a block, a trigger or a key writes besides shows when it runs: what turns out to
 * write rows that both colours have is taken back and kept. One whose note says `live` has run there before. True where
 * it was kept.
 */
export async function runInPlace(
  { client, operator, policy, release, superuser }: Placing,
  statement: FromFile & { readonly data: DataStatement; readonly note?: PlaceNote | undefined },
  run: () => Promise<void>,
): Promise<boolean> {
  const { note } = statement;
  const named = [...statement.data.targets, ...statement.data.reads].map(({ name }) => name);
  const data = await withCarried(client, throughViews(statement.data, await readViewTables(client, named)));
  const waiting = await readHeld(client);
  const judged = judgeStatement(
    data,
    note,
    policy.live,
    await restingOn(client, data, new Set(waiting.flatMap(({ tables }) => tables))),
  );
  const keep = async (tables: readonly string[], why = judged.why, session?: string): Promise<true> => {
    const reason = tables.length > 0 ? 'it writes rows that both colours have' : why;
    if (data.changesSchema) throw cannotBeHeld(statement, reason, tables);
    const needed = session ?? data.session;
    if (needed !== undefined) throw heldNeedsSession(statement, needed, reason);
    if (superuser) throw heldAsSuperuser(statement);
    const written: (Pick<Table, 'schema' | 'name'> | undefined)[] = [];
    for (const target of data.targets) written.push(await found(client, target));
    // Of an earlier file, which the text of this one does not show.
    for (const relation of [...data.reads, ...data.targets])
      if ((await found(client, relation))?.schema.startsWith('pg_temp'))
        throw heldNeedsSession(statement, `the temporary table ${relation.name}`, reason);
    const all = [...new Set([...tables, ...written.flatMap((table) => (table ? [label(table)] : []))])];
    const silenced = [...(await silencedOf(client, all, policy.silent)), ...(await silentSession(client))];
    if (silenced.length > 0) throw heldWithoutTriggers(statement, silenced);
    await keepHeld(client, release, statement, { tables: all, asked: note !== undefined });
    return true;
  };
  if (judged.place === 'live') return false;
  if (judged.place === 'switch') return keep(judged.tables);
  await client.query('SAVEPOINT placed');
  const watched = note === undefined && (data.opaque || (await mayReadTables(client, data.calls ?? [])));
  const reading = async (): Promise<readonly TableScans[]> => {
    if (watched) return (await countScans(client, run)).reads;
    await run();
    return [];
  };
  const filling = data.fillsSession || watched ? () => carrying(client, data, policy.live, reading) : reading;
  const outcome = await countWrites(client, filling).catch(async (error: unknown) => {
    // It may have needed what is still to be written: whether it works then is tried with the rest.
    if (!data.opaque || waiting.length === 0 || note) throw error;
    return undefined;
  });
  const shared = outcome ? await sharedWrites(client, { data, named: judged.tables }, policy, outcome.writes) : [];
  if (outcome && shared.length > 0 && note)
    await policy.onCandidate({ ...statement, place: 'candidate', writes: shared });
  const rested = outcome && shared.length === 0 ? await restedOn(client, data, policy, outcome) : undefined;
  if (outcome && ((shared.length === 0 && rested === undefined) || note)) {
    if (data.fill && !note) await keepFilled(client, operator, statement, data.fill);
    await client.query('RELEASE SAVEPOINT placed');
    return false;
  }
  await client.query('ROLLBACK TO SAVEPOINT placed');
  await client.query('RELEASE SAVEPOINT placed');
  return keep(
    shared.map(({ table }) => table),
    rested && `it needs the rows of ${rested.table}, which the live colour still writes`,
    rested?.session,
  );
}

/** Rows of the live release that arrive later are filled like those that were there. */
async function keepFilled(
  client: Client,
  operator: Client,
  { data, file, line, sets }: FromFile & { readonly data: DataStatement },
  fill: Fill,
): Promise<void> {
  const [target] = data.targets;
  const table = target && (await found(client, target));
  if (!table) return;
  const { role } = await one<{ role: string }>(client, 'SHOW role');
  const keeper = { ...fill, name: `${file}:${line}` };
  // Where the file runs in a session of its own, the function is there before its transaction ends; without a trigger
  // it does nothing.
  await asLogin(client, async (path) => {
    const settings = await valueSettings(client, sets);
    await asLogin(operator, () =>
      makeKeeper(operator, keeper, table, { path, owner: role === 'none' ? undefined : role, settings }),
    );
    await fireKeeper(client, keeper, table);
  });
}

/** A relation that a statement names, as search_path finds it now. */
async function found(
  client: Client,
  { schema, name }: NamedRelation,
): Promise<Pick<Table, 'schema' | 'name'> | undefined> {
  const [table] = await rows<Pick<Table, 'schema' | 'name'>>(
    client,
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
    WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)`,
    [schema === undefined ? ident(name) : ident(schema, name)],
  );
  return table;
}

/** Tables that are still to be written, and those whose rows refer to them: what is written there needs their rows. */
async function restingOn(client: Client, data: DataStatement, held: ReadonlySet<string>): Promise<Set<string>> {
  if (held.size === 0 || data.targets.length === 0) return new Set(held);
  const seen = await withFixedPath(client, () =>
    rows<{ table: string }>(
      client,
      `SELECT DISTINCT n.nspname || '.' || c.relname AS table FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_class f ON f.oid = k.confrelid JOIN pg_namespace fn ON fn.oid = f.relnamespace WHERE k.contype = 'f'
      AND fn.nspname || '.' || f.relname = ANY ($1)`,
      [[...held]],
    ),
  );
  return new Set([...held, ...seen.map(({ table }) => table)]);
}
