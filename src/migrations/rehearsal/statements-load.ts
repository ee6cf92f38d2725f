import type { ConnectionSettings } from '../../postgres/connection.ts';
import { withPooledSession } from '../../postgres/session.ts';
import { startClients, type Piece } from './clients.ts';
import { isWhole, type KnownStatement } from './known-statements.ts';
import type { Load } from './load.ts';

export interface StatementsLoadOptions {
  readonly as: (role: string) => ConnectionSettings;
  readonly known: readonly KnownStatement[];
  /** PostgreSQL's major: EXPLAIN (GENERIC_PLAN) came with 16. */
  readonly major: number;
  readonly clients: number;
  readonly rate: number;
}

/**
 * The live database's own statements, as often among each other as there. One that reads and has no parameters is run;
 * any other is planned for any parameters (EXPLAIN (GENERIC_PLAN)): planning takes the table locks that running would,
 * so it is blocked where that would be, and no parameter is invented and no row changed. A string says why there is no
 * such load.
 */
export async function statementsLoad({
  as,
  known,
  major,
  clients,
  rate,
}: StatementsLoadOptions): Promise<Load | string> {
  const byRole = new Map<string, { readonly text: string; readonly calls: number }[]>();
  let refused = 0;
  for (const statement of known) {
    const text = pieceOf(statement, major);
    if (text === undefined || !(await plans(as(statement.role), text))) {
      refused++;
      continue;
    }
    byRole.set(statement.role, [...(byRole.get(statement.role) ?? []), { text, calls: statement.calls }]);
  }
  if (byRole.size === 0)
    return major < 16
      ? 'statements with parameters need EXPLAIN (GENERIC_PLAN) of PostgreSQL 16'
      : `none of ${known.length} statements of pg_stat_statements can be planned on the clone`;
  const running = startClients({
    rate,
    clients,
    roles: [...byRole].map(([role, pieces]) => ({ as: as(role), next: weighted(pieces) })),
  });
  return {
    kind: 'pg_stat_statements',
    clients,
    endedEarly: undefined,
    ...running,
    detail:
      `${known.length - refused} statements of the live database, ${rate} a second: those with parameters are ` +
      `planned and not run${refused > 0 ? `; ${refused} cannot be` : ''}`,
  };
}

function pieceOf(statement: KnownStatement, major: number): string | undefined {
  if (/^\s*(SELECT|VALUES)\b/i.test(statement.query) && isWhole(statement)) return statement.query;
  if (major >= 16) return `EXPLAIN (GENERIC_PLAN) ${statement.query}`;
  return isWhole(statement) ? `EXPLAIN ${statement.query}` : undefined;
}

/** Whether it can be planned; that is tried without running it. */
async function plans(as: ConnectionSettings, text: string): Promise<boolean> {
  return withPooledSession(as, 'rehearse-plan', (client) =>
    client.query(text.startsWith('EXPLAIN') ? text : `EXPLAIN ${text}`),
  ).then(
    () => true,
    () => false,
  );
}

/** Each as often as its share of the calls says, in an order that mixes them. */
function weighted(pieces: readonly { readonly text: string; readonly calls: number }[]): () => Piece {
  const total = pieces.reduce((sum, { calls }) => sum + calls, 0);
  // The golden ratio's multiples spread evenly over the unit interval.
  let place = 0;
  return () => {
    place = (place + 0.618_033_988_75) % 1;
    let left = place * total;
    return pieces.find(({ calls }) => (left -= calls) < 0) ?? (pieces[0] as Piece);
  };
}
