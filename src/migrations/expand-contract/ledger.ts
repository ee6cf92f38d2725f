import type { SeenChange } from '../../model/shape-changes.ts';
import { one, rows, withTransaction, type Client } from '../../postgres/client.ts';
import { guardControlTables } from '../../postgres/control-guard.ts';
import type { Notes } from './notes.ts';
import type { Expansion } from './shape.ts';

/** What the kind begins with where the object is still there and takes less. */
export const narrower = 'narrower ';

/** One line of the ledger: what a release added or took away. */
export interface LedgerLine {
  readonly release: string;
  readonly change: 'expand' | 'contract';
  readonly object: string;
  readonly kind: string;
  /** Of an expansion: the object that it stands in for. */
  readonly replaces: string | null;
  /** Of a contraction: the last release that used it; null where none did. */
  readonly lastUsedBy: string | null;
  readonly at: string;
}

export interface ShapeLedger {
  /** Oldest first. */
  readonly releases: readonly string[];
  readonly lines: readonly LedgerLine[];
}

/**
 * The ledger is a property of the schema that it describes, so it lies beside it, unreplicated: the copy of the volume
 * that a candidate is made of carries it along, what is written on the candidate goes with the candidate when that is
 * abandoned, a rollback leads back to a colour whose ledger does not know the release, and `retire` leaves the one of
 * the schema that stays.
 */
const tables = `
  CREATE TABLE IF NOT EXISTS verdigris.release (place int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text
    NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp());
  CREATE TABLE IF NOT EXISTS verdigris.shape (
    release text NOT NULL, change text NOT NULL CHECK (change IN ('expand', 'contract')), object text NOT NULL, kind text NOT NULL,
    replaces text, last_used_by text, at timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY (release, change, object, kind))`;

/** The ledger of a colour that carries `release`; one that was never written knows that release only. */
export async function readShapeLedger(client: Client, release: string): Promise<ShapeLedger> {
  const { there } = await one<{ there: boolean }>(client, "SELECT to_regclass('verdigris.shape') IS NOT NULL AS there");
  if (!there) return { releases: [release], lines: [] };
  const names = (await rows<{ name: string }>(client, 'SELECT name FROM verdigris.release ORDER BY place')).map(
    ({ name }) => name,
  );
  return {
    releases: names.at(-1) === release ? names : [...names, release],
    lines: await rows<LedgerLine>(
      client,
      'SELECT release, change, object, kind, replaces, last_used_by AS "lastUsedBy", at::text FROM verdigris.shape ORDER BY at, change, object',
    ),
  };
}

export interface LedgerShapes {
  readonly from: string;
  readonly to: string;
  readonly expansions: readonly Expansion[];
  readonly contractions: readonly SeenChange[];
  readonly notes: Notes;
}

/** Writes what release `to` did, in place of what an earlier attempt at it wrote. */
export async function writeShapes(
  client: Client,
  { from, to, expansions, contractions, notes }: LedgerShapes,
): Promise<void> {
  await client.query(tables);
  await guardControlTables(client);
  await withTransaction(client, async () => {
    const [newest] = await rows<{ name: string }>(
      client,
      'SELECT name FROM verdigris.release ORDER BY place DESC LIMIT 1',
    );
    const missing = newest?.name === to ? [] : newest?.name === from ? [to] : [from, to];
    for (const name of missing) await client.query('INSERT INTO verdigris.release (name) VALUES ($1)', [name]);
    await client.query('DELETE FROM verdigris.shape WHERE release = $1', [to]);
    const put = (
      change: LedgerLine['change'],
      object: string,
      kind: string,
      replaces: string | null,
      lastUsedBy: string | null,
    ) =>
      client.query(
        'INSERT INTO verdigris.shape (release, change, object, kind, replaces, last_used_by) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING',
        [to, change, object, kind, replaces, lastUsedBy],
      );
    for (const { object, kind } of expansions)
      await put('expand', object, kind, notes.expand.find((note) => note.object === object)?.replaces ?? null, null);
    for (const { id, object, kind } of contractions)
      await put(
        'contract',
        object,
        id === 'object-removed' || id === 'column-removed' ? kind : `${narrower}${kind}`,
        null,
        notes.contract.find((note) => note.object === object)?.lastUsedBy ?? null,
      );
  });
}
