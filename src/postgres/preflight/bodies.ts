/** A name that a function's body uses without a schema, and the schema where the database has such an object. */
export interface UnqualifiedName {
  readonly name: string;
  readonly kind: 'relation' | 'function' | 'type';
}

/** The body's words as PostgreSQL folds them: comments and string constants gone, quoted names kept with their case. */
function words(body: string): string[] {
  const bare = body
    .replaceAll(/\/\*[\s\S]*?\*\//g, ' ')
    .replaceAll(/--[^\n]*/g, ' ')
    .replaceAll(/\b[eE]'(?:[^'\\]|\\.|'')*'/g, " '' ")
    .replaceAll(/'(?:[^']|'')*'/g, " '' ");
  return (bare.match(/"(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*|::|:=|''|[^\s]/gu) ?? []).map((word) =>
    word.startsWith('"') ? word : word.toLowerCase(),
  );
}

const beforeRelation: ReadonlySet<string> = new Set(['from', 'join', 'into', 'update', 'table', 'only', 'using']);
const isName = (word: string | undefined) => word !== undefined && /^["\p{L}_]/u.test(word);
const bare = (word: string) => (word.startsWith('"') ? word.slice(1, -1).replaceAll('""', '"') : word);

const endOfList: ReadonlySet<string> = new Set([
  'select',
  'where',
  'returning',
  'set',
  'values',
  'by',
  'on',
  'having',
  'distinct',
  'return',
  'declare',
  'begin',
]);

/** Whether there are only names, aliases and commas between FROM and the word at `at`. */
function inFromList(all: readonly string[], at: number): boolean {
  for (let place = at - 1; place >= 0; place--) {
    const word = all[place] ?? '';
    if (word === 'from') return true;
    if ((!isName(word) && word !== ',' && word !== '.') || endOfList.has(word)) return false;
  }
  return false;
}

/**
 * Names without a schema where SQL expects a relation, a function or a type. A heuristic: what is made of strings
 * (EXECUTE) is not seen, and a name counts only where the caller knows an object of that name outside of pg_catalog, so
 * that variables, columns and CTEs do no harm.
 */
export function unqualifiedNames(body: string): UnqualifiedName[] {
  const all = words(body);
  const names: UnqualifiedName[] = [];
  const ctes = new Set(all.filter((word, at) => isName(word) && all[at + 1] === 'as' && all[at + 2] === '('));
  all.forEach((word, at) => {
    const [before, after] = [all[at - 1], all[at + 1]];
    if (!isName(word) || before === '.' || after === '.' || ctes.has(word)) return;
    if (
      before === '::' ||
      after === '%' ||
      (before !== undefined && isName(before) && (after === ';' || after === ':='))
    )
      names.push({ name: bare(word), kind: 'type' });
    const called = after === '(' && before !== 'into';
    if (after === '%' || (!called && (beforeRelation.has(before ?? '') || (before === ',' && inFromList(all, at)))))
      names.push({ name: bare(word), kind: 'relation' });
    if (called) names.push({ name: bare(word), kind: 'function' });
  });
  return names;
}

/** Words that make a function's result depend on more than its arguments, whatever it declares. */
const mutable = anyWordOf(
  'now clock_timestamp statement_timestamp transaction_timestamp timeofday random gen_random_uuid ' +
    'nextval currval setval current_setting current_date current_time current_timestamp localtime ' +
    'localtimestamp current_user session_user inet_client_addr pg_backend_pid txid_current',
);

function anyWordOf(list: string): RegExp {
  return new RegExp(`\\b(${list.replaceAll(' ', '|')})\\b`);
}

export function looksMutable(body: string): boolean {
  const all = words(body);
  return (
    mutable.test(all.filter((word) => !word.startsWith('"')).join(' ')) ||
    all.some((word, at) => word === 'from' && isName(all[at + 1]) && all[at - 1] !== 'distinct')
  );
}
