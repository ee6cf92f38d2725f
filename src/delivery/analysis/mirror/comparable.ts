import { fingerprint, parse, type Node } from 'libpg-query';

/**
 * What may be asked of a statement. `rows`: it gives the same rows on servers with the same data, in whatever order.
 * `times`: which rows it gives may hang on their order, or on ties, so that other rows prove nothing.
 */
export type Comparable =
  { readonly compare: 'rows' | 'times'; readonly id: string } | { readonly compare: 'nothing'; readonly why: string };

/** Stable, and yet another value each time, or of the session that asks. */
const ofTheMoment = new Set([
  'now',
  'transaction_timestamp',
  'statement_timestamp',
  'current_query',
  'current_setting',
  'inet_client_addr',
  'inet_client_port',
  'inet_server_addr',
  'inet_server_port',
  'pg_backend_pid',
  'pg_conf_load_time',
  'pg_postmaster_start_time',
  'txid_current_snapshot',
  'pg_current_snapshot',
  'version',
]);

/** Their value hangs on the order in which rows come, where none is said. */
const ordered = new Set([
  'array_agg',
  'string_agg',
  'json_agg',
  'jsonb_agg',
  'json_object_agg',
  'jsonb_object_agg',
  'xmlagg',
  'first_value',
  'last_value',
  'nth_value',
]);

/** `volatile`: names of functions of which one of that name may change something, or gives another value each time. */
export async function comparableOf(text: string, volatile: ReadonlySet<string>): Promise<Comparable> {
  const no = (why: string): Comparable => ({ compare: 'nothing', why });
  const tree = await parse(text).catch(() => undefined);
  const [only, ...others] = tree?.stmts ?? [];
  if (!only?.stmt || others.length > 0) return no('it is no single statement that can be parsed');
  if (!('SelectStmt' in only.stmt)) return no('it is no SELECT');
  let why: string | undefined;
  let loose = false;
  walk(only.stmt, (kind, node) => {
    if (kind === 'InsertStmt' || kind === 'UpdateStmt' || kind === 'DeleteStmt' || kind === 'MergeStmt')
      why ??= 'it writes';
    else if (kind === 'IntoClause' || kind === 'intoClause') why ??= 'it makes a table';
    else if (kind === 'LockingClause') why ??= 'it locks rows';
    else if (kind === 'SQLValueFunction') why ??= 'it asks for the time or the user';
    else if (kind === 'RangeTableSample') why ??= 'it takes a sample';
    else if (kind === 'FuncCall') {
      const name = nameOf(node);
      if (volatile.has(name) || ofTheMoment.has(name)) why ??= `${name}() may give another value each time`;
      if ((ordered.has(name) && node['agg_order'] === undefined) || node['over'] !== undefined) loose = true;
    } else if (kind === 'SelectStmt' && (node['limitCount'] ?? node['limitOffset'] ?? distinctOn(node)) !== undefined)
      loose = true;
  });
  if (why !== undefined) return no(why);
  return { compare: loose ? 'times' : 'rows', id: await fingerprint(text) };
}

type Fields = Readonly<Record<string, unknown>>;

/** Calls `see` with each node of a tree by its kind; a clause that is a field of its own by that name. */
function walk(node: unknown, see: (kind: string, fields: Fields) => void): void {
  if (Array.isArray(node)) return node.forEach((each) => walk(each, see));
  if (typeof node !== 'object' || node === null) return;
  for (const [kind, fields] of Object.entries(node)) {
    if (typeof fields === 'object' && fields !== null && !Array.isArray(fields)) see(kind, fields as Fields);
    walk(fields, see);
  }
}

/** The function's name without its schema. */
function nameOf(call: Fields): string {
  const last = (call['funcname'] as Node[] | undefined)?.at(-1);
  return last && 'String' in last ? (last.String.sval ?? '') : '';
}

/** DISTINCT ON takes the first row of each; plain DISTINCT has one empty element. */
function distinctOn(select: Fields): true | undefined {
  const clause = select['distinctClause'] as unknown[] | undefined;
  return clause?.some((each) => Object.keys(each as object).length > 0) ? true : undefined;
}
