import { label } from '../catalogue.ts';
import { one, rows, type Client } from '../client.ts';
import type { LostRow } from '../lost-rows.ts';
import { leftOver } from './carry.ts';
import { readHistories, readRows, type HistoryRow } from './rows.ts';

/**
 * What a tool wrote into its histories on `lost` since the switchover: without it a tool would run again what the rows
 * of an export, brought back, have in them already. What the release's own run wrote stays with its schema.
 */
export async function lostHistories(lost: Client): Promise<LostRow[]> {
  // A colour that is older than this version of Verdigris lacks it.
  const { there } = await one<{ there: boolean }>(
    lost,
    "SELECT to_regclass('verdigris.tool_history') IS NOT NULL AS there",
  );
  if (!there) return [];
  const bases = await rows<{ history: string; rows: HistoryRow[] }>(lost, 'SELECT * FROM verdigris.tool_history');
  const known = new Map(bases.map((base) => [base.history, base.rows]));
  const found: LostRow[] = [];
  for (const history of await readHistories(lost)) {
    const base = known.get(history.name);
    if (base === undefined) continue;
    const now = await readRows(lost, history);
    const { schema, table } = history;
    const line = { table: label({ schema, name: table }), relation: [schema, table] as [string, string] };
    for (const row of leftOver(base, now)) found.push({ ...line, kind: 'deleted', before: plain(row) });
    for (const row of leftOver(now, base)) found.push({ ...line, kind: 'inserted', row: plain(row) });
  }
  return found;
}

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** Values as they are, in place of as COPY writes them. */
function plain(row: HistoryRow): HistoryRow {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      value?.replaceAll(/\\(.)/g, (_, letter: string) => escapes[letter] ?? letter) ?? null,
    ]),
  );
}
