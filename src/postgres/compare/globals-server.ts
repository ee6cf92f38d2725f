import { one, rows, type Client } from '../client.ts';
import { ident, literal } from '../quote.ts';
import { globalFinding, type GlobalFinding } from './globals-finding.ts';
import { settingValue } from './globals-databases.ts';
import { SecretStatement } from './secret.ts';

/** Settings that change what a statement means or whether it works. */
const meaning = [
  'TimeZone',
  'timezone_abbreviations',
  'DateStyle',
  'IntervalStyle',
  'lc_messages',
  'lc_monetary',
  'lc_numeric',
  'lc_time',
  'default_text_search_config',
  'search_path',
  'standard_conforming_strings',
  'backslash_quote',
  'escape_string_warning',
  'array_nulls',
  'transform_null_equals',
  'quote_all_identifiers',
  'bytea_output',
  'extra_float_digits',
  'xmlbinary',
  'xmloption',
  'default_transaction_isolation',
  'default_transaction_deferrable',
  'row_security',
  'check_function_bodies',
  'session_replication_role',
  'password_encryption',
  'shared_preload_libraries',
  'session_preload_libraries',
  'local_preload_libraries',
  'default_tablespace',
  'temp_tablespaces',
  'default_table_access_method',
  'default_toast_compression',
  'max_prepared_transactions',
];

/** Settings that change how much of it works, how safely, and for how long. */
const manner = [
  'max_connections',
  'superuser_reserved_connections',
  'reserved_connections',
  'max_locks_per_transaction',
  'max_worker_processes',
  'max_wal_senders',
  'max_replication_slots',
  'wal_level',
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'shared_buffers',
  'work_mem',
  'maintenance_work_mem',
  'temp_buffers',
  'temp_file_limit',
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'idle_session_timeout',
  'transaction_timeout',
  'deadlock_timeout',
  'autovacuum',
  'autovacuum_freeze_max_age',
  'track_commit_timestamp',
  'jit',
  'ssl',
  'huge_pages',
  'max_wal_size',
  'random_page_cost',
  'effective_cache_size',
  'max_parallel_workers',
  'max_parallel_workers_per_gather',
];

interface Setting {
  readonly name: string;
  /** Value that a new session has before roles and databases have their say, in units of `unit`. */
  readonly value: string;
  readonly unit: string;
  readonly context: string;
}

/** Settings of the servers, and tablespaces. */
export async function serverDifferences(live: Client, candidate: Client): Promise<GlobalFinding[]> {
  const [left, right] = [await readSettings(live), await readSettings(candidate)];
  const there = new Map(right.map((setting) => [setting.name, setting]));
  // A setting that only one major knows is no difference that could be fixed.
  const changed = left.flatMap((setting) => {
    const twin = there.get(setting.name);
    return twin && twin.value !== setting.value ? [{ setting, twin }] : [];
  });
  const entry = ({ setting, twin }: (typeof changed)[number]) => ({
    object:
      `${setting.name}: ${shown(setting)} on the live side, ${shown(twin)} on the candidate` +
      (twin.context === 'postmaster' ? ' (takes effect at a restart)' : ''),
    statements:
      twin.context === 'internal'
        ? []
        : [new SecretStatement(`ALTER SYSTEM SET ${ident(setting.name)} TO ${settingValue(setting)}`)],
  });
  const of = (names: readonly string[]) => changed.filter(({ setting }) => names.includes(setting.name)).map(entry);
  return [
    ...globalFinding(
      'server-settings',
      'server settings that change what statements mean or whether they work differ',
      'The same statement may give another result on the candidate.',
      of(meaning),
    ),
    ...globalFinding(
      'server-resources',
      'server settings for resources, limits and durability differ',
      'The candidate may carry less load, or be less safe.',
      of(manner),
    ),
    ...(await tablespaceDifferences(live, candidate)),
  ];
}

function shown({ value, unit }: Setting): string {
  if (value === '') return 'empty';
  return unit === '' || !/^-?[0-9.]+$/.test(value) ? value : `${value}${/^[0-9]/.test(unit) ? ' x ' : ' '}${unit}`;
}

async function readSettings(client: Client): Promise<Setting[]> {
  const { files } = await one<{ files: boolean }>(
    client,
    `SELECT has_table_privilege('pg_file_settings', 'SELECT') AND has_function_privilege('pg_show_all_file_settings()', 'EXECUTE') AS files`,
  );
  // Where a role, a database or this session has its own, pg_settings does not show the server's: the files do, to whom
  // may see them.
  const own = `s.source IN ('database', 'user', 'database user', 'client', 'session')`;
  const value = `CASE WHEN ${own} THEN coalesce((SELECT f.setting FROM pg_file_settings f WHERE lower(f.name) = lower(s.name)
    ORDER BY f.seqno DESC LIMIT 1), s.boot_val) ELSE s.reset_val END`;
  return rows<Setting>(
    client,
    `SELECT s.name, ${files ? value : 's.reset_val'} AS value, coalesce(s.unit, '') AS unit, s.context
    FROM pg_settings s WHERE s.name = ANY ($1) ${files ? '' : `AND NOT ${own}`} ORDER BY s.name COLLATE "C"`,
    [[...meaning, ...manner]],
  );
}

async function tablespaceDifferences(live: Client, candidate: Client): Promise<GlobalFinding[]> {
  const [left, right] = [await readTablespaces(live), await readTablespaces(candidate)];
  const there = new Map(right.map((space) => [space.name, space]));
  const missing = left.filter(({ name }) => !there.has(name));
  const changed = left.flatMap((space) => {
    const twin = there.get(space.name);
    if (!twin) return [];
    const statements = [
      ...(twin.owner === space.owner
        ? []
        : [new SecretStatement(`ALTER TABLESPACE ${ident(space.name)} OWNER TO ${ident(space.owner)}`)]),
      ...space.options
        .filter((option) => !twin.options.includes(option))
        .map(
          (option) =>
            new SecretStatement(
              `ALTER TABLESPACE ${ident(space.name)} SET (${option.split('=')[0]} = ${literal(option.slice(option.indexOf('=') + 1))})`,
            ),
        ),
      ...twin.options
        .filter((option) => !space.options.some((one) => one.split('=')[0] === option.split('=')[0]))
        .map((option) => new SecretStatement(`ALTER TABLESPACE ${ident(space.name)} RESET (${option.split('=')[0]})`)),
    ];
    return statements.length > 0 ? [{ object: space.name, statements }] : [];
  });
  return [
    ...globalFinding(
      'tablespace-missing',
      missing.length === 1 ? 'tablespace is missing on the candidate' : 'tablespaces are missing on the candidate',
      'What lay in it lies in the default tablespace of the candidate, and a statement that names it fails there. ' +
        'It needs a folder of its own, which no statement makes.',
      missing.map(({ name }) => ({ object: name, statements: [] })),
    ),
    ...globalFinding(
      'tablespace-attributes',
      changed.length === 1
        ? 'tablespace has another owner or other options on the candidate'
        : 'tablespaces have other owners or options on the candidate',
      'Neither is replicated.',
      changed,
    ),
  ];
}

async function readTablespaces(client: Client): Promise<{ name: string; owner: string; options: string[] }[]> {
  return rows(
    client,
    // PostgreSQL's own belong to whoever made the server.
    `SELECT t.spcname AS name, CASE WHEN t.spcname ~ '^pg_' THEN '' ELSE r.rolname END AS owner,
      coalesce(to_json(t.spcoptions), '[]') AS options
    FROM pg_tablespace t JOIN pg_roles r ON r.oid = t.spcowner ORDER BY 1`,
  );
}
