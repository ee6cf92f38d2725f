import { createHash } from 'node:crypto';
import { asLogin, one, rows, type Client } from '../../postgres/client.ts';
import { ident, literal } from '../../postgres/quote.ts';
import { countWrites, type RowWrites } from '../../postgres/row-writes.ts';
import { heldFailed, tooSlow } from './refusals.ts';
import { valueSettings } from './settings.ts';
import type { FromFile, HeldStatement, Ran } from './statement.ts';

/**
 * Those that are to run yet, in their order. Inside a transaction they are locked: whoever ran them before, and is not
 * known to have committed, has committed or is gone once this returns.
 */
export async function readHeld(client: Client): Promise<HeldStatement[]> {
  return asLogin(client, () =>
    rows<HeldStatement>(
      client,
      `SELECT version, position, file, line, text, tables, asked, path, role, coalesce(to_jsonb(d) -> 'settings', '{}') AS settings
      FROM verdigris.data_statement d WHERE place = 'switch' AND done_at IS NULL ORDER BY number FOR UPDATE`,
    ),
  );
}

const numbered = 'number, version, position, digest, file, line, text, role, release';

/**
 * After those that are there, and by no sequence: whoever has pg_write_all_data may set any of these back. A table that
 * an earlier version made has one, which is not asked (OVERRIDING SYSTEM VALUE).
 */
const numbers =
  '1 + coalesce((SELECT max(number) FROM verdigris.data_statement), 0), $1, $2::int, $3, $4, $5::int, $6, $7, $8';

/** Keeps one, in the caller's transaction, with the session's search_path, role and settings. */
export async function keepHeld(
  client: Client,
  release: string,
  statement: FromFile,
  { tables, asked }: Pick<HeldStatement, 'tables' | 'asked'>,
): Promise<void> {
  const { role } = await one<{ role: string }>(client, 'SHOW role');
  await asLogin(client, async (path) => {
    const settings = JSON.stringify(await valueSettings(client, statement.sets));
    await client.query(
      `INSERT INTO verdigris.data_statement (${numbered}, place, tables, asked, path, settings)
      OVERRIDING SYSTEM VALUE SELECT ${numbers}, 'switch', $9, $10, $11, $12
      ON CONFLICT (version, position, digest) DO UPDATE SET tables = excluded.tables, asked = excluded.asked, path = excluded.path,
        role = excluded.role, settings = excluded.settings`,
      [
        ...keyOf(statement),
        statement.file,
        statement.line,
        statement.text,
        role,
        release,
        tables,
        asked,
        path,
        settings,
      ],
    );
  });
}

/** Whether a statement ran on the live colour already, in this or an earlier attempt, and what it wrote. */
export async function ranOnLive(client: Client, statement: FromFile): Promise<RowWrites[] | undefined> {
  const [found] = await asLogin(client, () =>
    rows<{ writes: RowWrites[] }>(
      client,
      "SELECT writes FROM verdigris.data_statement WHERE version = $1 AND position = $2 AND digest = $3 AND place = 'live' AND done_at IS NOT NULL",
      keyOf(statement),
    ),
  );
  return found?.writes;
}

/** Marks it as run on the live colour, in the transaction that ran it. */
export async function markOnLive(
  client: Client,
  release: string,
  statement: FromFile,
  writes: readonly RowWrites[],
): Promise<void> {
  const { role } = await one<{ role: string }>(client, 'SHOW role');
  await asLogin(client, () =>
    client.query(
      `INSERT INTO verdigris.data_statement (${numbered}, place, writes, done_at)
      OVERRIDING SYSTEM VALUE SELECT ${numbers}, 'live', $9, clock_timestamp()`,
      [...keyOf(statement), statement.file, statement.line, statement.text, role, release, JSON.stringify(writes)],
    ),
  );
}

function keyOf({ version, position, text }: FromFile): [string, number, string] {
  return [version, position, createHash('sha256').update(text).digest('hex')];
}

/**
 * Runs them in the caller's transaction, each as it would have run in its file, and marks each as done there: what is
 * committed with its mark does not run again. What constraints would say at the commit is said here. `failed` makes the
 * error of one that fails.
 */
export async function runHeld(
  client: Client,
  held: readonly HeldStatement[],
  failed: (held: HeldStatement, cause: unknown) => Error,
): Promise<Ran[]> {
  const ran: Ran[] = [];
  for (const each of held) {
    const at = performance.now();
    const { writes } = await countWrites(client, async () => {
      const set = Object.entries(each.settings).map(
        ([name, value]) => `SET LOCAL ${ident(name)} = ${literal(value)}; `,
      );
      await client.query(
        `${set.join('')}SET LOCAL search_path = ${each.path === '' ? "''" : each.path}; SET LOCAL role = ${literal(each.role)}`,
      );
      await client.query(each.text);
      await client.query('SET CONSTRAINTS ALL IMMEDIATE');
    }).catch((cause: unknown) => {
      throw failed(each, cause);
    });
    const ms = performance.now() - at;
    const unset = Object.keys(each.settings).map((name) => `; SET LOCAL ${ident(name)} TO DEFAULT`);
    await client.query(`SET LOCAL role = 'none'; SET LOCAL search_path = pg_catalog, pg_temp${unset.join('')}`);
    await client.query(
      `UPDATE verdigris.data_statement SET done_at = pg_catalog.clock_timestamp(), writes = $4 WHERE version = $1 AND position = $2 AND digest = $3`,
      [...keyOf(each), JSON.stringify(writes)],
    );
    ran.push({ held: each, writes, ms });
  }
  return ran;
}

/**
 * Runs them in the caller's transaction and takes them back.
 * @throws what `failed` makes of one that fails, and VerdigrisError `data-statement-slow`.
 */
export async function tryHeld(
  client: Client,
  limits: { readonly held: number; readonly asked: number },
  next: string,
): Promise<Ran[]> {
  const held = await readHeld(client);
  if (held.length === 0) return [];
  const attempt = async (): Promise<Ran[]> => {
    await client.query('SAVEPOINT tried');
    const ran = await runHeld(client, held, (each, cause) => heldFailed(each, next, cause));
    await client.query('ROLLBACK TO SAVEPOINT tried; RELEASE SAVEPOINT tried');
    return ran;
  };
  const first = await attempt();
  if (!tooSlow(first, limits, next)) return first;
  // A cold cache or a busy moment is no property of the statement.
  const second = await attempt();
  const slow = tooSlow(second, limits, next);
  if (slow) throw slow;
  return second;
}
