import { rows, type Client } from '../client.ts';
import { found, type Check } from './check.ts';
import { userSchemas } from './tables.ts';

const givesTransactions = 'txid_current|pg_current_xact_id|pg_current_snapshot';
const gives = `${givesTransactions}|pg_current_wal|pg_backend_pid`;

interface ServerNumber {
  readonly name: string;
  /** A transaction id or a snapshot, and no position or process. */
  readonly transactions: boolean;
}

/** Columns that hold numbers which each server counts for itself. */
export async function serverNumbers(client: Client): Promise<ServerNumber[]> {
  return rows<ServerNumber>(
    client,
    `
    SELECT format('%s.%s.%s %s', n.nspname, c.relname, a.attname, coalesce('default ' || g.expression, format_type(a.atttypid, NULL))) AS name,
      coalesce(g.expression ~ '\\m(${givesTransactions})', a.atttypid <> 'pg_lsn'::regtype) AS transactions
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN LATERAL (SELECT pg_get_expr(d.adbin, d.adrelid) AS expression FROM pg_attrdef d
      WHERE d.adrelid = c.oid AND d.adnum = a.attnum AND pg_get_expr(d.adbin, d.adrelid) ~ '\\m(${gives})') g ON true
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' AND ${userSchemas}
      AND (g.expression IS NOT NULL
        OR a.atttypid IN ('xid'::regtype, 'txid_snapshot'::regtype, 'pg_lsn'::regtype, to_regtype('xid8'), to_regtype('pg_snapshot')))
    ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C", a.attnum`,
  );
}

/**
 * Each server counts its own transactions and bytes of log. A switchover carries how far the first have come, as long as
 * that takes no minutes; the second it does not. Docs: "Transactions and Identifiers".
 */
export const serverNumbersCheck: Check = {
  id: 'server-numbers',
  hazards: [43],
  title: 'numbers of the server',
  on: 'live',
  when: ['seed'],
  findings: ['server-numbers'],
  run: async (client) =>
    found('server-numbers', {
      objects: (await serverNumbers(client)).map(({ name }) => name),
      reason:
        'Log positions go on from those of the other server after a switchover, and after a rollback: a new one may be ' +
        'lower than those in these columns. A reader that asks for higher ones (an outbox, a feed) passes rows over. ' +
        'Transaction ids are advanced by then, if the other server is less than two million behind; else they are said again.',
    }),
};
