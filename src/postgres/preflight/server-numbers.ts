import { rows } from '../client.ts';
import { found, type Check } from './check.ts';
import { userSchemas } from './tables.ts';

const gives = 'txid_current|pg_current_xact_id|pg_current_snapshot|pg_current_wal|pg_backend_pid';

/**
 * Each server counts its own transactions and bytes of log; a copy goes on from where the original was, by less: what is
 * taken back there is never sent. Docs: "Transactions and Identifiers".
 */
export const serverNumbersCheck: Check = {
  id: 'server-numbers',
  hazards: [43],
  title: 'numbers of the server',
  on: 'live',
  when: ['seed'],
  findings: ['server-numbers'],
  run: async (client) => {
    const columns = await rows<{ name: string }>(
      client,
      `
      SELECT format('%s.%s.%s %s', n.nspname, c.relname, a.attname, coalesce('default ' || g.expression, format_type(a.atttypid, NULL))) AS name
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN LATERAL (SELECT pg_get_expr(d.adbin, d.adrelid) AS expression FROM pg_attrdef d
        WHERE d.adrelid = c.oid AND d.adnum = a.attnum AND pg_get_expr(d.adbin, d.adrelid) ~ '\\m(${gives})') g ON true
      WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' AND ${userSchemas}
        AND (g.expression IS NOT NULL
          OR a.atttypid IN ('xid'::regtype, 'txid_snapshot'::regtype, 'pg_lsn'::regtype, to_regtype('xid8'), to_regtype('pg_snapshot')))
      ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C", a.attnum`,
    );
    return found('server-numbers', {
      objects: columns.map(({ name }) => name),
      reason:
        'After a switchover, and after a rollback, transaction ids and log positions go on from those of the other server: ' +
        'a new one may be lower than those in these columns. A reader that asks for higher ones (an outbox, a feed) passes rows over.',
    });
  },
};
