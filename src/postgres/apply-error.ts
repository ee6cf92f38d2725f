/** Why a change could not be applied, in the server's own words: of the last such error in the end of its log. */
export function applyErrorIn(log: string): string | undefined {
  const lines = log.split('\n');
  const context = lines.findLastIndex((line) => /CONTEXT: +processing remote data for replication origin/.test(line));
  const at = lines.findLastIndex((line, index) => index < context && /\b(ERROR|FATAL): /.test(line));
  // One that does not get as far as a row: no connection, or nothing there to be sent.
  const source = lines.findLastIndex((line) =>
    /\bERROR: .*(WAL stream|WAL streaming|connect to the publisher)/.test(line),
  );
  if (at < 0 && source < 0) return undefined;
  return (source > at ? lines.slice(source, source + 1) : lines.slice(at, context + 1))
    .map((line) => line.replace(/^.*?\b(?=(ERROR|FATAL|DETAIL|HINT|CONTEXT): )/, '').trim())
    .filter((line) => !line.startsWith('STATEMENT'))
    .join(' ')
    .replaceAll(/\s+/g, ' ');
}

/**
 * What passes by itself: a lost connection, a server that starts or stops, locks. Everything else comes again with each
 * attempt.
 */
const passing =
  /connect|connection|terminat|shutting down|starting up|recovery mode|deadlock|lock timeout|canceling statement|could not serialize|is active for PID/i;

export function passes(error: string): boolean {
  return passing.test(error.replace(/CONTEXT: .*$/, ''));
}

/**
 * The statement that takes away the row that a replicated one collides with, from an error that names table and key.
 * Undefined where it does not, or where its words would have to be quoted in a shell.
 */
export function collidingRow(error: string): string | undefined {
  // The last is the server's own: before it stands what code on the table may have said.
  const [, table] = /.*for replication target relation "([^"]+)"/.exec(error) ?? [];
  const [, column, value] = /Key \(([^()]+)\)=\((.+?)\) already exists/.exec(error) ?? [];
  if (table === undefined || column === undefined || value === undefined) return undefined;
  const plain = /^[a-z_][a-z0-9_]*$/;
  if (![...table.split('.'), column].every((each) => plain.test(each)) || !/^[\w .:@+-]+$/.test(value))
    return undefined;
  return `DELETE FROM ${table} WHERE ${column} = '${value}'`;
}

/** On which side a disk was full; undefined of any other error. */
export function fullSide(error: string): 'sender' | 'receiver' | undefined {
  if (!error.includes('No space left on device')) return undefined;
  return error.includes('WAL stream') ? 'sender' : 'receiver';
}

/** Whether what the subscription follows is not there any more. */
export function lacksSource(error: string): boolean {
  return /(publication|replication slot) "[^"]+" does not exist/.test(error);
}

/**
 * Whether the table that a row is for, or a column of it, is not there: it is sent under the name and with the columns
 * that its table had when it was written.
 */
export function lacksTarget(error: string): boolean {
  return /logical replication target relation "[^"]+" (does not exist|is missing replicated columns?:)/.test(error);
}
