import { withTransaction, type Client } from './client.ts';
import { isSuperuser } from './superuser.ts';

/** What writes down the text of a statement. Names with a dot may be set whether or not their extension is there. */
const quiet = {
  log_statement: 'none',
  log_min_duration_statement: '-1',
  log_min_duration_sample: '-1',
  log_transaction_sample_rate: '0',
  log_min_error_statement: 'panic',
  'pg_stat_statements.track': 'none',
  'pgaudit.log': 'none',
};

/**
 * Runs `use` in a transaction whose statements come into no log and no statistics: for a secret that a server must be
 * told as it is.
 */
async function secretly(client: Client, use: () => Promise<void>): Promise<void> {
  await withTransaction(client, async () => {
    await client.query(
      Object.entries(quiet)
        .map(([name, value]) => `SET LOCAL ${name} = '${value}'`)
        .join('; '),
    );
    await use();
  });
}

/**
 * As `secretly`, for what is no secret by itself: a verifier is kept out of a log where that is the session's to
 * decide.
 */
export async function quietly(client: Client, use: () => Promise<void>): Promise<void> {
  await ((await isSuperuser(client)) ? secretly : withTransaction)(client, use);
}
