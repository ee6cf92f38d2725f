import { one, rows, type Client } from '../client.ts';
import { literal } from '../quote.ts';
import { everyGate, found, HiddenError, inOrder, type Check } from './check.ts';
import { mayReadFiles } from './settings.ts';

/**
 * pg_stat_activity shows NULL for other roles' sessions instead of failing. Docs: "Predefined Roles",
 * pg_read_all_stats.
 */
export async function requireStatistics(client: Client): Promise<void> {
  const { may } = await one<{ may: boolean }>(client, "SELECT pg_has_role('pg_read_all_stats', 'USAGE') AS may");
  if (!may) throw new HiddenError('the sessions of other roles are hidden from this role');
}

/**
 * Prepared transactions of every database count: slot creation waits for all of them, and the volume holds them all.
 */
export const preparedTransactions: Check = {
  id: 'prepared-transactions',
  hazards: [5],
  title: 'prepared transactions',
  on: 'live',
  when: everyGate,
  findings: ['prepared-transactions', 'two-phase-commit'],
  run: async (client) => {
    const prepared = await rows<{ gid: string; database: string; owner: string; seconds: number; here: boolean }>(
      client,
      `
      SELECT gid, database, owner, extract(epoch FROM clock_timestamp() - prepared)::float8 AS seconds, database =
        current_database() AS here FROM pg_prepared_xacts ORDER BY prepared, gid`,
    );
    const { slots } = await one<{ slots: number }>(
      client,
      "SELECT current_setting('max_prepared_transactions')::int AS slots",
    );
    return [
      ...found('prepared-transactions', {
        objects: prepared.map(
          ({ gid, database, owner, seconds }) =>
            `${gid} of ${owner} in ${database}, prepared ${Math.round(seconds)} s ago`,
        ),
        reason:
          'The snapshot copies them with their locks: apply on the candidate would wait for them forever, and so would the slot here.',
        fix: inOrder(
          prepared.map(
            ({ gid, database, here }) =>
              `-- ${here ? '' : `in database ${database}, `}or COMMIT PREPARED, where its coordinator says so:\nROLLBACK PREPARED ${literal(gid)};`,
          ),
        ),
      }),
      ...found('two-phase-commit', {
        title: `clients can prepare transactions (max_prepared_transactions = ${slots})`,
        objects: slots > 0 ? ['max_prepared_transactions'] : [],
        reason: 'One prepared between this check and the switchover blocks it; every gate checks again.',
      }),
    ];
  },
};

interface Transaction {
  readonly pid: number;
  readonly user: string | null;
  readonly database: string | null;
  readonly application: string;
  readonly state: string | null;
  readonly age: number;
  readonly query: string | null;
  readonly holds: string;
}

/**
 * In any database: creating a slot waits for every transaction that has an id. Apply and walsenders are not counted:
 * those are replication's own; nor autovacuum, which gives way.
 */
export const longTransactions: Check = {
  id: 'long-transactions',
  hazards: [24],
  title: 'long transactions',
  on: 'both',
  when: everyGate,
  findings: ['long-transactions'],
  needs: (role) => `GRANT pg_read_all_stats TO ${role};`,
  run: async (client, { limits }) => {
    await requireStatistics(client);
    const long = await rows<Transaction>(
      client,
      `
      SELECT pid, usename AS user, datname AS database, application_name AS application, state, extract(epoch
        FROM clock_timestamp() - xact_start)::float8 AS age,
        left(regexp_replace(query, '\\s+', ' ', 'g'), 60) AS query,
        CASE WHEN backend_xid IS NOT NULL THEN 'holds a transaction id' WHEN backend_xmin IS NOT NULL THEN
          'holds a snapshot' ELSE 'holds nothing yet' END AS holds
      FROM pg_stat_activity
      WHERE xact_start < clock_timestamp() - $1 * interval '1 millisecond' AND pid <> pg_backend_pid()
        AND backend_type NOT IN ('autovacuum worker', 'walsender') AND backend_type !~ '^logical replication '
      ORDER BY xact_start, pid`,
      [limits.longTransactionMs],
    );
    return found('long-transactions', {
      title: `transactions have been open for more than ${limits.longTransactionMs / 1000} s`,
      objects: long.map(
        ({ pid, user, database, application, state, age, query, holds }) =>
          `pid ${pid} ${user ?? 'no user'}@${database ?? 'no database'} (${application || 'unnamed'}), ` +
          `${state ?? 'running'}, ${Math.round(age)} s, ${holds}: ${query ?? ''}`,
      ),
      reason: `Creating the slot waits for them (at most ${limits.slotCreationMs / 1000} s), and so do the pause and the fence, while clients wait.`,
      fix: inOrder(long.map(({ pid }) => `SELECT pg_terminate_backend(${pid});`)),
    });
  },
};

/** Clients that forget an open transaction hold up the pause. Docs: "Client Connection Defaults". */
export const idleTransactions: Check = {
  id: 'idle-transactions',
  hazards: [24],
  title: 'limit for idle transactions',
  on: 'live',
  when: ['seed'],
  findings: ['idle-transaction-unlimited'],
  by: 'operator',
  needs: mayReadFiles,
  run: async (client) => {
    const { limit } = await one<{ limit: string }>(
      client,
      // What a client of the database gets; this session has its own.
      `SELECT coalesce(
          (SELECT substr(c, length(s.name) + 2) FROM pg_db_role_setting d, unnest(d.setconfig) c
            WHERE d.setrole = 0 AND d.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()) AND starts_with(c, s.name || '=')),
          (SELECT f.setting FROM pg_file_settings f WHERE f.name = s.name AND f.error IS NULL ORDER BY f.seqno DESC LIMIT 1), s.boot_val) AS limit
        FROM pg_settings s WHERE s.name = 'idle_in_transaction_session_timeout'`,
    );
    return found('idle-transaction-unlimited', {
      objects: limit === '0' ? ['idle_in_transaction_session_timeout'] : [],
      reason:
        'The pause of the switchover waits for open transactions; a forgotten one makes it give up, and nothing is switched.',
    });
  },
};
