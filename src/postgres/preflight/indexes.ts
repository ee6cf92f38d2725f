import { label, qualified } from '../catalogue.ts';
import { rows } from '../client.ts';
import { ident } from '../quote.ts';
import { everyGate, found, inOrder, type Check } from './check.ts';
import { byName, userSchemas, type Relation } from './tables.ts';

/**
 * An index build that failed leaves its index behind; `_ccnew` and `_ccold` are REINDEX CONCURRENTLY's. Docs: REINDEX.
 */
export const invalidIndexesCheck: Check = {
  id: 'invalid-indexes',
  hazards: [],
  title: 'invalid indexes',
  on: 'both',
  when: everyGate,
  findings: ['invalid-indexes'],
  run: async (client) => {
    const indexes = await rows<Relation & { index: string }>(
      client,
      `
      SELECT n.nspname AS schema, c.relname AS name, x.relname AS index FROM pg_index i
        JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_class x ON x.oid = i.indexrelid
      WHERE NOT i.indisvalid AND c.relkind IN ('r', 'm') AND ${userSchemas} ${byName}, x.relname COLLATE "C"`,
    );
    return found('invalid-indexes', {
      objects: indexes.map(({ schema, index, name }) => `${schema}.${index} on ${name}`),
      reason:
        'Queries do not use them, a unique one does not enforce anything, and every write still pays for them; the copy inherits them.',
      fix: inOrder(
        indexes.map(({ schema, index }) =>
          /_cc(new|old)\d*$/.test(index)
            ? `DROP INDEX ${ident(schema, index)};`
            : `REINDEX INDEX ${ident(schema, index)};`,
        ),
      ),
    });
  },
};

/** By pg_stats and not by reltuples, which CREATE INDEX sets as well. Docs: pg_stats; pg_upgrade, Statistics. */
export const statisticsMissing: Check = {
  id: 'statistics',
  hazards: [25],
  title: "the planner's statistics",
  on: 'candidate',
  when: ['switch'],
  findings: ['statistics-missing'],
  run: async (client) => {
    const tables = await rows<Relation>(
      client,
      `
      SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND pg_relation_size(c.oid) > 0 AND ${userSchemas}
        AND NOT EXISTS (SELECT FROM pg_stats s WHERE s.schemaname = n.nspname AND s.tablename = c.relname) ${byName}`,
    );
    return found('statistics-missing', {
      objects: tables.map(label),
      reason: 'Without statistics the first queries after the switchover get bad plans, all at once.',
      fix: inOrder(tables.map((table) => `ANALYZE ${qualified(table)};`)),
    });
  },
};
