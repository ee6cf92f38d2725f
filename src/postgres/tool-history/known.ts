import { literal } from '../quote.ts';

/** A table in which a migration tool writes what it has run, as the tool makes it. */
interface Known {
  readonly name: string;
  /** Only in this schema. */
  readonly schema?: string;
  /** Columns that it always has. */
  readonly columns: string;
  /** Columns that it may have besides; any where left out. */
  readonly more?: string;
}

/**
 * Known by name and columns together: a table of an application's own that bears such a name is data. From the tools'
 * sources and documentation; `more` takes what their versions differ in.
 */
const known: readonly Known[] = [
  {
    name: 'flyway_schema_history',
    columns: 'installed_rank version script checksum success',
    more: 'description type installed_by installed_on execution_time',
  },
  // Flyway before 5.
  {
    name: 'schema_version',
    columns: 'installed_rank version script checksum success',
    more: 'version_rank description type installed_by installed_on execution_time',
  },
  // tern.
  { name: 'schema_version', schema: 'public', columns: 'version', more: '' },
  {
    name: 'databasechangelog',
    columns: 'id author filename dateexecuted orderexecuted exectype md5sum',
    more: 'description comments tag liquibase contexts labels deployment_id',
  },
  { name: 'databasechangeloglock', columns: 'id locked lockgranted lockedby', more: '' },
  {
    name: '_prisma_migrations',
    columns: 'id checksum migration_name',
    more: 'finished_at logs rolled_back_at started_at applied_steps_count',
  },
  { name: 'pgmigrations', columns: 'id name run_on', more: '' },
  // golang-migrate, dbmate, Rails, Ecto, Supabase.
  {
    name: 'schema_migrations',
    columns: 'version',
    more: 'dirty inserted_at statements name created_by idempotency_key rollback',
  },
  // Sequel.
  { name: 'schema_migrations', columns: 'filename', more: '' },
  { name: 'ar_internal_metadata', columns: 'key value', more: 'created_at updated_at' },
  { name: 'goose_db_version', columns: 'id version_id is_applied tstamp', more: '' },
  // sql-migrate.
  { name: 'gorp_migrations', columns: 'id applied_at', more: '' },
  {
    name: '_sqlx_migrations',
    columns: 'version description installed_on success checksum execution_time',
    more: '',
  },
  { name: '__diesel_schema_migrations', columns: 'version run_on', more: '' },
  { name: 'refinery_schema_history', columns: 'version name applied_on checksum', more: '' },
  {
    name: 'atlas_schema_revisions',
    columns: 'version description hash',
    more: 'type applied total executed_at execution_time error error_stmt partial_hashes operator_version',
  },
  { name: '__drizzle_migrations', columns: 'id hash created_at', more: 'name applied_at' },
  { name: 'alembic_version', columns: 'version_num', more: '' },
  { name: 'django_migrations', columns: 'id app name applied', more: '' },
  { name: '__EFMigrationsHistory', columns: 'MigrationId ProductVersion', more: '' },
  { name: 'SequelizeMeta', columns: 'name', more: 'createdAt updatedAt' },
  { name: 'knex_migrations', columns: 'id name batch migration_time', more: '' },
  { name: 'knex_migrations_lock', columns: 'index is_locked', more: '' },
  { name: 'kysely_migration', columns: 'name timestamp', more: '' },
  { name: 'kysely_migration_lock', columns: 'id is_locked', more: '' },
  // TypeORM; Laravel; db-migrate; marv.
  { name: 'migrations', columns: 'id timestamp name', more: '' },
  { name: 'typeorm_metadata', columns: 'type database schema table name value', more: '' },
  { name: 'migrations', columns: 'id migration batch', more: '' },
  { name: 'migrations', columns: 'id name run_on', more: '' },
  { name: 'migrations', columns: 'level comment timestamp checksum', more: 'namespace' },
  { name: 'migrations_lock', columns: 'dummy_column', more: '' },
  { name: 'mikro_orm_migrations', columns: 'id name executed_at', more: '' },
  // Lucid.
  { name: 'adonis_schema', columns: 'id name batch migration_time', more: '' },
  { name: 'adonis_schema_versions', columns: 'version', more: '' },
  // Postgrator.
  { name: 'schemaversion', columns: 'version', more: 'name md5 run_at' },
  { name: 'strapi_migrations', columns: 'id name time', more: '' },
  { name: 'strapi_migrations_internal', columns: 'id name time', more: '' },
  { name: 'payload_migrations', columns: 'id name batch updated_at created_at', more: '' },
  { name: '_yoyo_migration', columns: 'migration_hash migration_id applied_at_utc', more: '' },
  {
    name: '_yoyo_log',
    columns: 'id migration_hash migration_id operation username hostname comment created_at_utc',
    more: '',
  },
  { name: '_yoyo_version', columns: 'version installed_at_utc', more: '' },
  { name: 'yoyo_lock', columns: 'locked ctime pid', more: '' },
  // peewee-migrate.
  { name: 'migratehistory', columns: 'id name migrated_at', more: '' },
  { name: 'aerich', columns: 'id version app content', more: '' },
  // sqitch.
  { name: 'releases', schema: 'sqitch', columns: 'version installed_at' },
  { name: 'projects', schema: 'sqitch', columns: 'project uri' },
  { name: 'changes', schema: 'sqitch', columns: 'change_id change project' },
  { name: 'tags', schema: 'sqitch', columns: 'tag_id tag project' },
  { name: 'dependencies', schema: 'sqitch', columns: 'change_id type dependency' },
  { name: 'events', schema: 'sqitch', columns: 'event change_id change project' },
  // graphile-migrate.
  { name: 'migrations', schema: 'graphile_migrate', columns: 'hash previous_hash filename date' },
  { name: 'current', schema: 'graphile_migrate', columns: 'filename content date' },
];

/** What says who is at work now, and nothing of what has run. */
export const locks = [
  'databasechangeloglock',
  'knex_migrations_lock',
  'kysely_migration_lock',
  'migrations_lock',
  'yoyo_lock',
];

/** The setting of a session that names the tables of `engine.history`, as `schema.table`, separated by commas. */
export const declaredSetting = 'verdigris.history';

const shapes = known
  .map(({ name, schema, columns, more }) => {
    const where = schema === undefined ? 'NULL' : literal(schema);
    const all = more === undefined ? 'NULL' : array(`${columns} ${more}`);
    return `(${literal(name)}, ${where}, ${array(columns)}, ${all})`;
  })
  .join(', ');

function array(words: string): string {
  return `ARRAY[${words
    .split(' ')
    .filter((word) => word !== '')
    .map(literal)
    .join(', ')}]::text[]`;
}

/**
 * SQL condition on `pg_class c` with its `pg_namespace n`: the table is a tool's history, by its shape or because it is
 * declared.
 */
export const isHistory = `(
  n.nspname || '.' || c.relname = ANY (string_to_array(current_setting('${declaredSetting}', true), ','))
  OR EXISTS (
    SELECT FROM (VALUES ${shapes}) AS h(name, schema, required, allowed)
    CROSS JOIN LATERAL (SELECT array_agg(a.attname::text) AS names FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS has
    WHERE h.name = c.relname AND coalesce(h.schema = n.nspname, true) AND has.names @> h.required AND coalesce(has.names <@ h.allowed, true)))`;
