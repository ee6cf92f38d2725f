import { skipQuoted } from '../../wire/quoting.ts';

/**
 * Functions of pg_catalog that applications call all the time and that change nothing of a session, and words that
 * come before a parenthesis without being a function.
 */
const harmless = new Set(
  `abs age all and any array array_agg array_append array_cat array_length array_position array_remove
  array_to_json array_to_string as avg between bit bool_and bool_or btrim by bytea case cast ceil ceiling char
  character char_length character_length check clock_timestamp coalesce concat concat_ws conflict copy cos count
  cube cume_dist current_database current_date current_schema current_setting current_time current_timestamp
  current_user date_bin date_part date_trunc decimal decode default dense_rank distinct div else encode end every
  except exists exp extract filter first_value float floor for format format_type from gen_random_uuid
  generate_series generate_subscripts greatest group grouping having if in inner insert intersect interval into is
  isfinite join json_agg json_array_elements json_build_array json_build_object json_object_agg jsonb_agg
  jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object
  jsonb_each jsonb_each_text jsonb_extract_path jsonb_extract_path_text jsonb_object_agg jsonb_object_keys
  jsonb_path_query jsonb_pretty jsonb_set jsonb_strip_nulls jsonb_to_record jsonb_to_recordset jsonb_typeof
  justify_interval key lag last_value lastval lateral lead least left length like ln localtime localtimestamp
  lower lpad ltrim make_date make_interval make_timestamp make_timestamptz materialized max md5 min mod mode
  nextval not now ntile nth_value nullif numeric numnode obj_description octet_length of on only or order over
  overlaps overlay partition percent_rank percentile_cont percentile_disc pg_advisory_xact_lock pg_advisory_lock
  pg_advisory_lock_shared pg_advisory_unlock_all phraseto_tsquery pi plainto_tsquery position power primary
  quote_ident quote_literal quote_nullable random range rank recursive references regexp_match regexp_matches
  regexp_replace regexp_split_to_array regexp_split_to_table repeat replace returning returns reverse right rollup
  round row row_number row_to_json rpad rtrim select session_user set sets setval setweight sha256 sign sin some
  split_part sqrt statement_timestamp stddev string_agg string_to_array strpos substr substring sum table
  tablesample text then time timestamp timestamptz to_char to_date to_json to_jsonb to_number to_regclass
  to_timestamp to_tsquery to_tsvector transaction_timestamp translate trim trunc ts_headline ts_rank txid_current
  union unique unnest upper using values varbit varchar variance websearch_to_tsquery when where width_bucket
  window with within xor`.split(/\s+/),
);

/** PostgreSQL's own by their prefix; of these only locks outlive a statement, and pins know about those. */
const systems = /^pg_(?!advisory_)/i;

/** A longer text is not looked at: whatever it does is looked up in the server. */
const longest = 64 * 1024;
const call = /([\w$\x80-\xff]+|")\s*\(/g;
const runsCode = /^\s*(?:do|call)\b|;\s*(?:do|call)\b|\bexecute\b|\*\/\s*(?:do|call)\b|\n\s*(?:do|call)\b/i;
/** Its rule is a set_config. */
const updatesSettings = /\bupdate\s+(?:only\s+)?(?:"?pg_catalog"?\s*\.\s*)?"?pg_settings\b/i;
const named =
  /\b(?:into|table|exists|update|on|view|index|references|with|recursive|,)\s+(?:only\s+)?(?:["\w$.\x80-\xff]+)\s*\(/gi;

/**
 * Whether a statement runs code of which the text does not say what it does to the session: DO, CALL, and functions
 * that are not known to do nothing. Where it errs, a question is put to the server that need not be. What triggers,
 * views and operators run is not seen.
 */
export function runsUnseenCode(sql: string): boolean {
  if (sql.length > longest || runsCode.test(sql) || updatesSettings.test(sql)) return true;
  if (!sql.includes('(')) return false;
  const calls = withoutText(sql).replace(named, ' ').matchAll(call);
  for (const { 1: name = '', index, input } of calls) {
    const qualified = /([\w$\x80-\xff"]+)\s*\.\s*$/.exec(input.slice(Math.max(0, index - 70), index))?.[1];
    if (qualified !== undefined && qualified.toLowerCase() !== 'pg_catalog') return true;
    if (name.toLowerCase() === 'set_config') {
      if (setsForSession(sql)) return true;
    } else if (!harmless.has(name.toLowerCase()) && !systems.test(name) && !/^\d/.test(name)) return true;
  }
  return false;
}

/**
 * True unless the last argument of every set_config call is literally true: a parameter or an expression might be
 * false.
 */
export function setsForSession(sql: string): boolean {
  return [...sql.matchAll(/\bset_config\s*\(/gi)].some(({ 0: opening, index }) => {
    const last = lastArgument(sql, index + opening.length);
    return !/^\s*(?:is_local\s*(?:=>|:=)\s*)?(?:true|'t(?:rue)?')\s*(?:::\s*bool(?:ean)?\s*)?$/i.test(last);
  });
}

/** Of a call whose arguments begin at `from`. */
function lastArgument(sql: string, from: number): string {
  let last = from;
  for (let at = from, depth = 1; at < sql.length;) {
    const end = skipQuoted(sql, at);
    if (end > at) {
      at = end;
      continue;
    }
    const next = sql[at];
    if (next === '(') depth++;
    else if (next === ')' && --depth === 0) return sql.slice(last, at);
    else if (next === ',' && depth === 1) last = at + 1;
    at++;
  }
  return sql.slice(last);
}

/** Strings, dollar quotes and comments become blanks; quoted names stay. */
function withoutText(sql: string): string {
  let kept = '';
  let from = 0;
  let looked = 0;
  for (const { 0: opening, index } of sql.matchAll(/['"$]|--|\/\*/g)) {
    if (index < looked) continue;
    looked = skipQuoted(sql, index);
    if (opening === '"' || looked === index) continue;
    kept += `${sql.slice(from, index)} `;
    from = looked;
  }
  return kept + sql.slice(from);
}

const constant = /\bset_config\s*\(\s*'([^']*)'\s*,/gi;
const assigned = /\bset\s+(?:session\s+|local\s+)?([a-z_][\w$]*\.[a-z_][\w$.]*)\s*(?:=|\bto\b)/gi;

/** Settings of the applications' own (`app.tenant`) that a text may set: the server has no list of them. */
export function ownSettings(sql: string): string[] {
  return [...sql.matchAll(constant), ...sql.matchAll(assigned)].flatMap(([, name = '']) =>
    name.includes('.') ? [name.toLowerCase()] : [],
  );
}
