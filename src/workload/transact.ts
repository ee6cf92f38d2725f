import pg from 'pg';
import { serverName } from './server-name.ts';
import { styleName, type Style } from './style.ts';

/** One unique write: a row of `entry` and an update of `account`, in one transaction. */
export interface Write {
  readonly run: string;
  readonly writer: number;
  readonly sequence: number;
  readonly account: number;
  readonly amount: number;
}

/** Set before the words that commit are sent: a failure earlier than that is known to have changed nothing. */
export interface CommitProgress {
  committing: boolean;
}

interface Statement {
  readonly name: string;
  readonly text: string;
  readonly values: unknown[];
}

/** Performs the write and resolves to the name (`serverName`) of the server that acknowledged it. */
export async function transact(
  client: pg.ClientBase,
  write: Write,
  style: Style,
  progress: CommitProgress,
): Promise<string> {
  const say = async (statement: Statement): Promise<Answer> => answer(client, statement, style.prepared);
  if (!style.explicit) {
    progress.committing = true;
    return changed(await say(both(write, style)));
  }
  await client.query('BEGIN');
  if (style.statements > 2) await say(balance(write));
  const { cluster } = await say(insert(write, style));
  changed(await say(update(write)));
  if (style.business) {
    const { value } = await say(placeOrder(write));
    await say(payOrder(value));
  } else if (style.statements > 3) await say(balance(write));
  progress.committing = true;
  // The server answers COMMIT of a failed transaction with success and the tag ROLLBACK.
  const { command } = await client.query('COMMIT');
  if (command !== 'COMMIT') throw new RolledBack(`COMMIT was answered with ${command}`);
  return cluster;
}

/** The server said that the transaction is undone. */
export class RolledBack extends Error {}

/**
 * Whether the write may be there although the client was told of a failure. Only a named refusal by a server that lives
 * on says that it does not.
 */
export function outcomeUnknown(error: unknown, { committing }: CommitProgress): boolean {
  if (!committing || error instanceof RolledBack) return false;
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) return true;
  return /^(08|57P|58|XX|40003)/.test(error.code);
}

interface Answer {
  readonly cluster: string;
  readonly value: string;
}

async function answer(client: pg.ClientBase, { name, text, values }: Statement, prepared: boolean): Promise<Answer> {
  const result = await client.query(prepared ? { name, text, values } : { text, values });
  return result.rows[0] as Answer;
}

function changed({ cluster, value }: Answer): string {
  // In autocommit the row is already there: that is for the judge to find, so this is no refusal.
  if (value !== '1') throw new Error(`${value} accounts were changed in place of 1`);
  return cluster;
}

const cluster = `${serverName} AS cluster`;
const columns = '(run, writer, sequence, amount, kind, account, colour)';

function entryValues({ run, writer, sequence, amount, account }: Write, style: Style): unknown[] {
  return [run, writer, sequence, amount, styleName(style), account];
}

function both(write: Write, style: Style): Statement {
  return {
    name: 'both',
    text: `WITH e AS (INSERT INTO workload.entry ${columns} VALUES ($1, $2, $3, $4, $5, $6::int, ${serverName})),
      a AS (UPDATE workload.account SET balance = balance + $4 WHERE id = $6::int RETURNING 1)
      SELECT ${cluster}, count(*)::text AS value FROM a`,
    values: entryValues(write, style),
  };
}

function insert(write: Write, style: Style): Statement {
  return {
    name: 'insert',
    text: `INSERT INTO workload.entry ${columns} VALUES ($1, $2, $3, $4, $5, $6, ${serverName}) RETURNING colour AS cluster, id::text AS value`,
    values: entryValues(write, style),
  };
}

function update({ account, amount }: Write): Statement {
  return {
    name: 'update',
    text: `WITH a AS (UPDATE workload.account SET balance = balance + $2::int WHERE id = $1 RETURNING 1) SELECT ${cluster}, count(*)::text AS value FROM a`,
    values: [account, amount],
  };
}

function balance({ account }: Write): Statement {
  return {
    name: 'balance',
    text: `SELECT ${cluster}, balance::text AS value FROM workload.account WHERE id = $1`,
    values: [account],
  };
}

/**
 * The first ids, which every scale of the sample has. One item, so that two of these never wait for each other's
 * products in opposite order.
 */
function placeOrder({ writer, sequence }: Write): Statement {
  return {
    name: 'place_order',
    text: `SELECT ${cluster}, shop.place_order(c.id, jsonb_build_array(jsonb_build_object('product_id', p.id, 'quantity', 1)))::text AS value
      FROM (SELECT id FROM shop.customers WHERE id >= $1 ORDER BY id LIMIT 1) c, (SELECT id FROM shop.products
      WHERE active AND id >= $2 ORDER BY id LIMIT 1) p`,
    values: [1 + ((writer * 31 + sequence) % 50), 1 + ((writer * 17 + sequence) % 50)],
  };
}

function payOrder(order: string): Statement {
  return {
    name: 'pay_order',
    text: `SELECT ${cluster}, shop.pay_order($1::bigint, 'card')::text AS value`,
    values: [order],
  };
}
