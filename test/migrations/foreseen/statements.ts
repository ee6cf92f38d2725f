/** A file of one or more statements, and what is said of it before a seed. */
export interface Told {
  readonly sql: string;
  /** Part of what `plan` says; undefined where it says nothing, and the run passes. */
  readonly said?: string;
  /** By nature nobody can tell before the run, which fails. */
  readonly after?: true;
  /** It runs outside of a transaction, for good. */
  readonly apart?: true;
  /** It runs as a superuser: nobody owns all that is there. */
  readonly superuser?: true;
}

export const schema = `
  CREATE ROLE shop_owner; CREATE ROLE reader; CREATE ROLE friend; CREATE ROLE boss SUPERUSER; GRANT friend TO shop_owner;
  ALTER DATABASE live OWNER TO shop_owner; CREATE SCHEMA shop AUTHORIZATION shop_owner;
  SET ROLE shop_owner;
  CREATE TABLE shop.item (id int PRIMARY KEY, name text, price numeric, twice int GENERATED ALWAYS AS (id * 2) STORED);
  CREATE TABLE shop.part (id int PRIMARY KEY, item int REFERENCES shop.item (id));
  CREATE TABLE shop.log (at timestamptz NOT NULL, text text) PARTITION BY RANGE (at);
  CREATE TABLE shop.log_24 PARTITION OF shop.log FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
  CREATE TABLE shop."Odd Name" (id int PRIMARY KEY);
  CREATE VIEW shop.cheap AS SELECT id, name FROM shop.item WHERE price < 5;
  CREATE SEQUENCE shop.numbers;
  CREATE TYPE shop.mood AS ENUM ('sad', 'ok');
  CREATE INDEX item_name ON shop.item (name);
  CREATE PROCEDURE shop.batches() LANGUAGE plpgsql AS $$ BEGIN FOR i IN 1..2 LOOP NULL; END LOOP; COMMIT; END $$;
  CREATE PROCEDURE shop.plainly() LANGUAGE plpgsql AS $$ BEGIN PERFORM 1; END $$;
  CREATE TABLE shop.tenant (name text PRIMARY KEY);
  CREATE FUNCTION shop.make_tenant() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    EXECUTE format('CREATE TABLE shop.%I (a int)', NEW.name || '_log'); RETURN NEW; END $$;
  CREATE TRIGGER made AFTER INSERT ON shop.tenant FOR EACH ROW EXECUTE FUNCTION shop.make_tenant();
  CREATE FUNCTION shop.seen() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
  CREATE PUBLICATION own FOR TABLE shop.item;
  RESET ROLE; CREATE EXTENSION pg_trgm;`;

export const statements: readonly Told[] = [
  // Whoever is said to run it.
  { sql: 'SET ROLE postgres; CREATE TABLE shop.t (a int)', said: 'role "postgres" does not exist' },
  { sql: 'SET ROLE boss; CREATE TABLE shop.t (a int)', said: 'permission denied to set role "boss"' },
  { sql: 'SET ROLE boss; CREATE TABLE shop.t (a int)', superuser: true },
  { sql: 'SET ROLE friend; RESET ROLE; CREATE TABLE shop.t (a int)' },
  { sql: 'SET ROLE shop_owner; CREATE TABLE shop.t (a int)' },
  { sql: 'SET ROLE NONE' },
  { sql: 'SET SESSION AUTHORIZATION boss', said: 'permission denied to set session authorization' },
  { sql: 'SET SESSION AUTHORIZATION boss; RESET SESSION AUTHORIZATION', superuser: true },
  { sql: 'RESET SESSION AUTHORIZATION' },
  // Settings.
  { sql: 'SET default_with_oids = false; SET LOCAL enable_seqscan = off' },
  { sql: 'SET LOCAL no_such = 1', said: 'unrecognized configuration parameter "no_such"' },
  { sql: "SET app.tenant = 'a'" },
  { sql: 'SET shared_buffers = 1', said: 'parameter "shared_buffers" cannot be set in a session' },
  {
    sql: "SET statement_timeout = 0; SET lock_timeout = '5s'; SET client_min_messages = warning; SET row_security = off",
  },
  { sql: "SET SEED TO 0.5; SET TIME ZONE 'UTC'; SET NAMES 'UTF8'; SET SCHEMA 'shop'; SET XML OPTION CONTENT" },
  { sql: 'SET session_replication_role = replica', said: 'permission denied to set parameter' },
  { sql: 'SET session_replication_role = replica; SET deadlock_timeout = 100', superuser: true },
  { sql: 'SET log_statement = none', said: 'permission denied to set parameter "log_statement"' },
  { sql: 'SET log_statement = none', superuser: true },
  { sql: 'SET search_path = shop; CREATE TABLE item (a int)', said: 'relation "shop.item" already exists' },
  {
    sql: "SELECT set_config('search_path', 'shop', false); CREATE TABLE item (a int)",
    said: 'relation "shop.item" already exists',
  },
  { sql: 'SET search_path = shop; CREATE TABLE fresh (a int)' },
  // Statements that take a superuser.
  { sql: 'CREATE PUBLICATION p FOR ALL TABLES', said: 'a publication FOR ALL TABLES takes a superuser' },
  { sql: 'CREATE PUBLICATION p FOR ALL TABLES', superuser: true },
  {
    sql: 'CREATE PUBLICATION p FOR TABLES IN SCHEMA shop',
    said: 'a publication FOR TABLES IN SCHEMA takes a superuser',
  },
  { sql: 'CREATE PUBLICATION p FOR TABLE shop.item; ALTER PUBLICATION p ADD TABLE shop.part; DROP PUBLICATION p' },
  { sql: 'ALTER PUBLICATION own ADD TABLE shop.part; ALTER PUBLICATION own DROP TABLE shop.item' },
  { sql: 'ALTER PUBLICATION missing ADD TABLE shop.part', said: 'publication "missing" does not exist' },
  {
    sql: 'CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION shop.seen()',
    said: 'an event trigger takes a superuser',
  },
  { sql: 'CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION shop.seen()', superuser: true },
  { sql: "CREATE FUNCTION shop.c() RETURNS int LANGUAGE c AS 'a', 'b'", said: 'permission denied for language c' },
  {
    sql: 'CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler',
    said: 'an access method takes a superuser',
  },
  { sql: 'ALTER TABLE shop.part DISABLE TRIGGER ALL', said: 'has triggers of foreign keys' },
  { sql: 'ALTER TABLE shop.part DISABLE TRIGGER ALL', superuser: true },
  { sql: 'ALTER TABLE shop.part DISABLE TRIGGER USER; ALTER TABLE shop."Odd Name" DISABLE TRIGGER ALL' },
  { sql: 'CREATE EXTENSION citext; DROP EXTENSION citext' },
  { sql: 'CREATE EXTENSION IF NOT EXISTS pg_trgm' },
  { sql: 'CREATE EXTENSION pg_trgm', said: 'extension "pg_trgm" already exists' },
  { sql: 'CREATE EXTENSION pageinspect', said: 'permission denied to create extension "pageinspect"' },
  { sql: 'CREATE EXTENSION pageinspect', superuser: true },
  { sql: 'ALTER EXTENSION pg_trgm UPDATE', said: 'must be owner of extension pg_trgm' },
  { sql: 'DROP EXTENSION pg_trgm', said: 'must be owner of extension pg_trgm' },
  { sql: 'DROP EXTENSION IF EXISTS missing; ALTER EXTENSION pg_trgm UPDATE', superuser: true },
  { sql: 'ALTER EXTENSION missing UPDATE', said: 'extension "missing" does not exist' },
  // Roles that are given something.
  { sql: 'ALTER TABLE shop.item OWNER TO postgres', said: 'role "postgres" does not exist' },
  { sql: 'ALTER TABLE shop.item OWNER TO boss', said: 'must be able to SET ROLE "boss"' },
  { sql: 'ALTER TABLE shop.item OWNER TO shop_owner; ALTER SCHEMA shop OWNER TO shop_owner' },
  { sql: 'ALTER FUNCTION shop.seen() OWNER TO boss', said: 'must be able to SET ROLE "boss"' },
  { sql: 'ALTER TABLE shop.item OWNER TO boss', superuser: true },
  { sql: 'CREATE SCHEMA AUTHORIZATION boss', said: 'must be able to SET ROLE "boss"' },
  { sql: 'GRANT SELECT ON shop.item TO grafana', said: 'role "grafana" does not exist' },
  { sql: 'GRANT SELECT ON shop.item TO reader, PUBLIC, CURRENT_USER; REVOKE ALL ON shop.item FROM reader' },
  { sql: 'CREATE POLICY p ON shop.item TO nobody USING (true)', said: 'role "nobody" does not exist' },
  { sql: 'ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO reader' },
  { sql: 'ALTER DEFAULT PRIVILEGES FOR ROLE boss GRANT SELECT ON TABLES TO reader', said: 'boss' },
  { sql: 'DROP OWNED BY reader', said: 'permission denied to drop objects owned by role "reader"' },
  { sql: 'DROP OWNED BY friend' },
  { sql: 'REASSIGN OWNED BY boss TO shop_owner', said: 'permission denied to reassign objects owned by role "boss"' },
  // What is there, or is not.
  { sql: 'CREATE TABLE shop.item (a int)', said: 'relation "shop.item" already exists' },
  {
    sql: 'CREATE TABLE IF NOT EXISTS shop.item (a int); CREATE OR REPLACE VIEW shop.cheap AS SELECT id, name FROM shop.item',
  },
  { sql: 'CREATE VIEW shop.cheap AS SELECT 1 AS a', said: 'relation "shop.cheap" already exists' },
  { sql: 'CREATE SEQUENCE shop.numbers', said: 'relation "shop.numbers" already exists' },
  { sql: 'CREATE TABLE shop.numbers AS SELECT 1 AS a', said: 'relation "shop.numbers" already exists' },
  { sql: 'CREATE INDEX item_name ON shop.item (price)', said: 'relation "shop.item_name" already exists' },
  { sql: 'CREATE INDEX IF NOT EXISTS item_name ON shop.item (price)' },
  { sql: "CREATE TYPE shop.mood AS ENUM ('a')", said: 'type "shop.mood" already exists' },
  { sql: 'CREATE SCHEMA shop', said: 'schema "shop" already exists' },
  { sql: 'CREATE SCHEMA IF NOT EXISTS shop; CREATE SCHEMA other' },
  { sql: 'DROP TABLE shop.part; CREATE TABLE shop.part (id int)' },
  { sql: 'DROP TABLE shop.log; CREATE TABLE shop.log_24 (a int)' },
  { sql: 'ALTER TABLE shop.item RENAME TO thing; CREATE TABLE shop.item (a int)' },
  { sql: 'DROP SCHEMA shop CASCADE; CREATE SCHEMA shop; CREATE TABLE shop.item (a int)' },
  { sql: 'ALTER TABLE shop.nothing ADD COLUMN a int', said: 'relation "shop.nothing" does not exist' },
  { sql: 'ALTER TABLE IF EXISTS shop.nothing ADD COLUMN a int; DROP TABLE IF EXISTS shop.nothing' },
  { sql: 'ALTER TABLE nothing ADD COLUMN a int', said: 'relation "nothing" does not exist' },
  { sql: 'DROP TABLE shop.nothing', said: 'relation "shop.nothing" does not exist' },
  { sql: 'DROP INDEX shop.nothing', said: 'relation "shop.nothing" does not exist' },
  { sql: 'DROP VIEW nothing', said: 'relation "nothing" does not exist' },
  { sql: 'CREATE INDEX ON shop.nothing (a)', said: 'relation "shop.nothing" does not exist' },
  { sql: 'INSERT INTO shop.nothing VALUES (1)', said: 'relation "shop.nothing" does not exist' },
  { sql: 'CREATE TABLE shop.nothing (a int); INSERT INTO shop.nothing VALUES (1); DROP TABLE shop.nothing' },
  { sql: 'ALTER TABLE shop.item RENAME TO nothing; ALTER TABLE shop.nothing ADD COLUMN a int' },
  { sql: 'CREATE TEMP TABLE nothing (a int); INSERT INTO nothing VALUES (1)' },
  {
    sql: "DO $$ BEGIN EXECUTE format('CREATE TABLE shop.%I (a int)', 'no' || 'thing'); END $$; INSERT INTO shop.nothing VALUES (1)",
  },
  { sql: 'ALTER TABLE shop.item ADD COLUMN name text', said: 'column "name" of relation "shop.item" already exists' },
  { sql: 'ALTER TABLE shop.item ADD COLUMN IF NOT EXISTS name text, ADD COLUMN fresh text, ALTER fresh SET DEFAULT 1' },
  { sql: 'ALTER TABLE shop.item DROP COLUMN nothing', said: 'column "nothing" of relation "shop.item" does not exist' },
  { sql: 'ALTER TABLE shop.item DROP COLUMN IF EXISTS nothing, DROP COLUMN price CASCADE' },
  {
    sql: 'ALTER TABLE shop.item ALTER COLUMN nothing SET NOT NULL',
    said: 'column "nothing" of relation "shop.item" does not exist',
  },
  {
    sql: 'ALTER TABLE shop.item RENAME COLUMN nothing TO a',
    said: 'column "nothing" of relation "shop.item" does not exist',
  },
  { sql: 'ALTER TABLE shop.item RENAME COLUMN price TO cost; ALTER TABLE shop.item DROP COLUMN cost CASCADE' },
  { sql: 'ALTER TABLE shop.log ADD COLUMN more text; ALTER TABLE shop.log_24 ALTER COLUMN more SET DEFAULT 1' },
  {
    sql: 'ALTER TABLE shop."Odd Name" ADD COLUMN a int; ALTER TABLE shop."Odd Name" ADD COLUMN id int',
    said: 'already exists',
  },
  {
    sql: 'ALTER TABLE shop.item DROP COLUMN price CASCADE, ADD COLUMN price int, DROP CONSTRAINT item_pkey CASCADE, ADD CONSTRAINT item_pkey CHECK (id > 0)',
  },
  {
    sql: 'ALTER TABLE shop.item DROP CONSTRAINT nothing',
    said: 'constraint "nothing" of relation "shop.item" does not exist',
  },
  {
    sql: 'ALTER TABLE shop.item ADD CONSTRAINT item_pkey CHECK (id > 0)',
    said: 'constraint "item_pkey" of relation "shop.item" already exists',
  },
  // Where a transaction is needed, or is in the way.
  { sql: 'LOCK TABLE shop.item' },
  { sql: '-- verdigris: no-transaction\nLOCK TABLE shop.item', said: 'outside of a transaction' },
  { sql: '-- verdigris: no-transaction\nBEGIN; LOCK TABLE shop.item; COMMIT; SELECT 1', apart: true },
  { sql: 'DECLARE c CURSOR FOR SELECT 1; FETCH c; CLOSE c' },
  { sql: '-- verdigris: no-transaction\nDECLARE c CURSOR FOR SELECT 1', said: 'outside of a transaction' },
  { sql: '-- verdigris: no-transaction\nDECLARE c CURSOR WITH HOLD FOR SELECT 1; CLOSE c', apart: true },
  { sql: 'VACUUM shop.item; ANALYZE shop.item; REINDEX TABLE CONCURRENTLY shop.item', apart: true },
  { sql: 'BEGIN; VACUUM shop.item; COMMIT', said: 'cannot run inside a transaction' },
  { sql: 'CLUSTER shop.item USING item_pkey; REINDEX INDEX shop.item_name' },
  { sql: 'CHECKPOINT', said: 'CHECKPOINT' },
  { sql: 'CHECKPOINT', superuser: true },
  { sql: 'CALL shop.plainly()' },
  { sql: 'CALL shop.batches()', said: 'commits' },
  { sql: '-- verdigris: no-transaction\nCALL shop.batches()', said: 'a note place=candidate', apart: true },
  {
    sql: '-- verdigris: no-transaction\n-- verdigris: place=candidate reason=no rows\nCALL shop.batches()',
    apart: true,
  },
  { sql: '-- verdigris: no-transaction\nCALL shop.plainly()', apart: true },
  { sql: 'DO $$ BEGIN PERFORM 1; COMMIT; END $$', said: 'has a COMMIT inside' },
  { sql: 'DO $$ BEGIN CALL shop.batches(); END $$', said: 'commits' },
  {
    sql: 'CREATE PROCEDURE shop.mine() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$; CALL shop.mine()',
    said: 'commits',
  },
  { sql: 'COPY shop.item FROM STDIN', said: 'COPY … FROM stdin' },
  { sql: 'COPY shop.item TO STDOUT' },
  { sql: '\\i more.sql', said: 'a command of psql' },
  { sql: 'NOTIFY hello; LISTEN hello; UNLISTEN *; DISCARD TEMP; SET CONSTRAINTS ALL DEFERRED' },
  { sql: 'DISCARD ALL', apart: true },
  { sql: 'BEGIN; DISCARD ALL; COMMIT', said: 'cannot run inside a transaction' },
  { sql: 'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; SELECT 1', said: 'sets the isolation' },
  { sql: "PREPARE TRANSACTION 'x'", said: 'transaction' },
  // What is of the server, or reaches past the database.
  { sql: 'ALTER SYSTEM SET work_mem = 1', said: 'changes the server' },
  { sql: "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p", said: 'creates a subscription' },
  { sql: 'ALTER SUBSCRIPTION s DISABLE', said: 'a subscription' },
  { sql: 'DROP SUBSCRIPTION IF EXISTS s', said: 'a subscription' },
  { sql: 'ALTER SUBSCRIPTION s RENAME TO t', said: 'a subscription' },
  { sql: 'ALTER DATABASE live RENAME TO other', said: 'a database' },
  { sql: 'ALTER DATABASE live OWNER TO boss', said: 'a database' },
  { sql: 'ALTER ROLE reader RENAME TO writer', said: 'a role' },
  { sql: "LOAD 'auto_explain'", said: 'LOAD' },
  { sql: 'ALTER TABLESPACE pg_default OWNER TO boss', said: 'a tablespace' },
  { sql: "ALTER DATABASE live SET timezone = 'UTC'", said: 'a database' },
  { sql: 'GRANT CONNECT ON DATABASE live TO reader', said: 'a database' },
  { sql: "COMMENT ON DATABASE live IS 'the shop'" },
  // Of a later major.
  { sql: 'CREATE TABLE shop.t (id int, twice int GENERATED ALWAYS AS (id * 2) VIRTUAL)', said: 'needs PostgreSQL 18' },
  { sql: 'SELECT 1 / 0', after: true },
];
