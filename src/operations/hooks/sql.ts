import { describe } from '../../model/errors.ts';
import type { Hook } from '../../model/hooks.ts';
import { withTransaction } from '../../postgres/client.ts';
import { literal } from '../../postgres/quote.ts';
import type { Context } from '../engine/context.ts';
import { withOwner } from '../engine/owner-session.ts';
import { hookRole } from '../../model/names.ts';
import type { Outcome } from './outcome.ts';

/**
 * Runs the statement as its role. On the candidate in a transaction that cannot write: what is written there is no
 * longer what the live colour has. Where it can be run again it is, so it has to bear that.
 */
export async function runStatement(c: Context, sql: NonNullable<Hook['sql']>, limit: number): Promise<Outcome> {
  const colour = sql.on === 'live' ? c.live : c.idle;
  try {
    await withOwner(
      c,
      colour,
      sql.role,
      (client) =>
        withTransaction(
          client,
          async () => {
            await client.query(
              `SET LOCAL statement_timeout = ${Math.ceil(limit)}; SET LOCAL role = ${literal(sql.role)}`,
            );
            await client.query(sql.statement);
          },
          sql.on === 'candidate' ? 'READ ONLY' : '',
        ),
      // Beside the session of what is held back.
      { login: hookRole },
    );
    return { kind: 'done' };
  } catch (error) {
    // SQLSTATE: what the statement itself raised is an answer; that nobody could be asked, or not in time, is none.
    const { code = '' } = error as { code?: string };
    const unanswered =
      !/^[0-9A-Z]{5}$/.test(code) || code === '57014' || code.startsWith('08') || code.startsWith('57P');
    return { kind: unanswered ? 'unanswered' : 'refused', why: describe(error) };
  }
}
