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

/** Statements, without semicolons, after which a superuser's session writes no statement down. */
export function quietSettings(scope: 'SET' | 'SET LOCAL'): string[] {
  return Object.entries(quiet).map(([name, value]) => `${scope} ${name} = '${value}'`);
}
