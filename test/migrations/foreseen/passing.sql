-- Files that run on the schema of statements.ts, each between two empty lines: nothing may be said of any before.

DO $$ BEGIN GRANT SELECT ON shop.item TO nobody_there; EXCEPTION WHEN OTHERS THEN NULL; END $$;

DO $$ BEGIN GRANT SELECT ON shop.item TO nobody_there; EXCEPTION WHEN undefined_object THEN NULL; END $$;

DO $$ BEGIN CREATE TABLE shop.item (a int); EXCEPTION WHEN duplicate_table THEN NULL; END $$;

DO $$ BEGIN CREATE TYPE shop.mood AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN NULL; END $$;

DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'anon') THEN GRANT SELECT ON shop.item TO anon;
  END IF; END $$;

DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_tables WHERE tablename = 'item') THEN CREATE TABLE shop.item (a
  int); END IF; END $$;

DO $$ BEGIN IF to_regclass('shop.item') IS NULL THEN CREATE TABLE shop.item (a int); END IF; END $$;

DO $$ DECLARE r record; BEGIN FOR r IN SELECT 'x' AS n WHERE false LOOP EXECUTE 'DROP TABLE shop.nothing'; END
  LOOP; END $$;

DO $$ BEGIN IF false THEN DROP TABLE shop.nothing; END IF; END $$;

DO $$ BEGIN RETURN; DROP TABLE shop.nothing; END $$;

DO $$ BEGIN EXECUTE 'CREATE TABLE shop.dyn (a int)'; END $$;
ALTER TABLE shop.dyn ADD COLUMN b int;
DROP TABLE shop.dyn;

DO $$ BEGIN EXECUTE format('CREATE TABLE shop.%I (a int)', 'dyn'); END $$;
ALTER TABLE shop.dyn ADD COLUMN b int;

DO $$ BEGIN EXECUTE format('ALTER TABLE shop.%I ADD COLUMN %I int', 'item', 'b' || '2'); END $$;
ALTER TABLE shop.item ALTER COLUMN b2 SET DEFAULT 1;

CREATE TEMP TABLE item (LIKE shop.log);
SET search_path = shop;
ALTER TABLE item DROP COLUMN text;

SET search_path = shop;
CREATE TEMP TABLE item (LIKE log);
ALTER TABLE item ALTER COLUMN text SET NOT NULL;
DROP TABLE item;

CREATE TEMP TABLE tmp AS SELECT 1 AS a;
CREATE INDEX ON tmp (a);
ALTER TABLE tmp ADD COLUMN b int;
DROP TABLE tmp;

CREATE TEMPORARY TABLE tmp (a int) ON COMMIT DROP;
INSERT INTO tmp VALUES (1);
UPDATE tmp SET a = 2;

SELECT 1 AS a INTO TEMP tmp2;
DELETE FROM tmp2;
DROP TABLE tmp2;

SELECT 1 AS a INTO shop.made;
ALTER TABLE shop.made ADD COLUMN b int;

ALTER TABLE shop.item RENAME TO thing;
ALTER TABLE shop.thing ADD COLUMN b int;
CREATE TABLE shop.item (id int);
ALTER TABLE shop.item ADD COLUMN name text;

ALTER TABLE shop.part RENAME COLUMN item TO it;
ALTER TABLE shop.part ADD COLUMN item int;
ALTER TABLE shop.part DROP COLUMN it;

DROP INDEX shop.item_name;
CREATE INDEX item_name ON shop.item (name);

ALTER INDEX shop.item_name RENAME TO old;
CREATE INDEX item_name ON shop.item (name);

DROP TABLE shop.part;
CREATE TABLE shop.part (id int);

DROP TABLE IF EXISTS shop.part CASCADE;
CREATE TABLE shop.part (id int);

DROP SCHEMA shop CASCADE;
CREATE SCHEMA shop;
CREATE TABLE shop.item (id int);

ALTER TABLE shop.part SET SCHEMA public;
CREATE TABLE shop.part (id int);

CREATE SCHEMA two;
ALTER TABLE shop.part SET SCHEMA two;
CREATE TABLE shop.part (id int);
ALTER TABLE two.part ADD COLUMN b int;

CREATE SCHEMA two CREATE TABLE item (a int) CREATE VIEW v AS SELECT a FROM item;
ALTER TABLE two.item ADD COLUMN name text;

ALTER TABLE shop.part DROP CONSTRAINT part_item_fkey, ADD CONSTRAINT part_item_fkey FOREIGN KEY (item)
  REFERENCES shop.item ON DELETE CASCADE;

ALTER TABLE shop.part DROP COLUMN item, ADD COLUMN item bigint;

ALTER TABLE shop.part ADD COLUMN a int, ADD CONSTRAINT c CHECK (a > 0), ALTER COLUMN a SET NOT NULL, ALTER
  COLUMN a SET DEFAULT 1;

ALTER TABLE shop.part ADD CONSTRAINT c CHECK (id > 0);
ALTER TABLE shop.part DROP CONSTRAINT c;

ALTER TABLE shop.part ADD CHECK (id > 0);
ALTER TABLE shop.part DROP CONSTRAINT part_id_check;

ALTER TABLE shop.part ADD UNIQUE (item);
ALTER TABLE shop.part DROP CONSTRAINT part_item_key;

ALTER TABLE shop.item ADD COLUMN e text UNIQUE;
ALTER TABLE shop.item DROP CONSTRAINT item_e_key;
DROP INDEX IF EXISTS shop.item_e_key;

ALTER TABLE shop.item ADD COLUMN f int REFERENCES shop.part;
ALTER TABLE shop.item DROP CONSTRAINT item_f_fkey;

CREATE TABLE shop.n (a serial);
ALTER SEQUENCE shop.n_a_seq RESTART;
DROP SEQUENCE shop.n_a_seq CASCADE;

CREATE TABLE shop.n (a int GENERATED ALWAYS AS IDENTITY);
ALTER TABLE shop.n ALTER COLUMN a RESTART WITH 5;
ALTER TABLE shop.n ALTER a DROP IDENTITY;

CREATE TABLE shop.n (a int PRIMARY KEY);
ALTER INDEX shop.n_pkey RENAME TO key;
ALTER TABLE shop.n DROP CONSTRAINT key;

CREATE TABLE shop.n (LIKE shop.item INCLUDING ALL);
ALTER TABLE shop.n DROP CONSTRAINT n_pkey;
DROP INDEX shop.n_name_idx;

CREATE TABLE shop.log_25 PARTITION OF shop.log FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
ALTER TABLE shop.log ADD COLUMN more int;
ALTER TABLE shop.log_25 ALTER COLUMN more SET DEFAULT 1;

ALTER TABLE shop.log DETACH PARTITION shop.log_24;
ALTER TABLE shop.log RENAME TO log_old;
CREATE TABLE shop.log (at timestamptz NOT NULL, text text);

ALTER TABLE shop.log ADD COLUMN more int;
ALTER TABLE shop.log_24 ALTER COLUMN more SET NOT NULL;

CREATE VIEW shop.v AS SELECT 1 AS a;
CREATE OR REPLACE VIEW shop.v AS SELECT 1 AS a, 2 AS b;
ALTER VIEW shop.v RENAME COLUMN b TO c;
ALTER VIEW shop.v RENAME TO w;
DROP VIEW shop.w;

DROP VIEW shop.cheap;
CREATE TABLE shop.cheap (a int);
ALTER TABLE shop.cheap DROP COLUMN a;

CREATE MATERIALIZED VIEW shop.m AS SELECT id FROM shop.item;
CREATE UNIQUE INDEX ON shop.m (id);
ALTER MATERIALIZED VIEW shop.m RENAME TO mm;
DROP MATERIALIZED VIEW shop.mm;

CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX ON shop.item USING gin (name gin_trgm_ops);

CREATE EXTENSION citext;
ALTER TABLE shop.part ADD COLUMN c citext;

CREATE FUNCTION shop.f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN GRANT SELECT ON shop.item TO nobody;
  INSERT INTO shop.nothing VALUES (1); RETURN NULL; END $$;
CREATE TRIGGER t AFTER INSERT ON shop.item EXECUTE FUNCTION shop.f();

CREATE FUNCTION shop.g(p text) RETURNS void LANGUAGE sql BEGIN ATOMIC SELECT 1; END;
SELECT shop.g('x');

CREATE FUNCTION shop.mk() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'CREATE TABLE shop.mk (a int)';
  END $$;
SELECT shop.mk();
ALTER TABLE shop.mk ADD COLUMN b int;

ALTER TYPE shop.mood RENAME TO feeling;
CREATE TYPE shop.mood AS ENUM ('x');

DROP TYPE shop.mood;
CREATE DOMAIN shop.mood AS text;

CREATE TYPE shop.pair AS (a int, b int);
ALTER TYPE shop.pair ADD ATTRIBUTE c int;
ALTER TYPE shop.pair DROP ATTRIBUTE a;

ALTER SCHEMA shop RENAME TO store;
CREATE TABLE store.n (a int);
ALTER TABLE store.item ADD COLUMN b int;
CREATE SCHEMA shop;
CREATE TABLE shop.item (a int);

SAVEPOINT a;
CREATE TABLE shop.n (a int);
ROLLBACK TO a;
CREATE TABLE shop.n (a int);

SAVEPOINT a;
DROP TABLE shop.part;
ROLLBACK TO a;
ALTER TABLE shop.part ADD COLUMN b int;

SET LOCAL search_path = shop;
ALTER TABLE item ADD COLUMN b int;
CREATE TABLE n (a int);
ALTER TABLE n ADD b int;

SET search_path TO shop, public;
CREATE TABLE "Item" (a int);
ALTER TABLE "Item" ADD COLUMN "name" text;

ALTER TABLE shop."Odd Name" ADD COLUMN "a b" int;
ALTER TABLE shop."Odd Name" RENAME COLUMN "a b" TO c;
ALTER TABLE shop."Odd Name" DROP COLUMN c;

ALTER TABLE shop.item ADD COLUMN IF NOT EXISTS name text;
ALTER TABLE shop.item DROP COLUMN IF EXISTS nothing;
DROP TABLE IF EXISTS shop.nothing;
ALTER TABLE IF EXISTS shop.nothing ADD COLUMN a int;

DROP VIEW IF EXISTS shop.nothing;
DROP INDEX IF EXISTS shop.nothing;
DROP SEQUENCE IF EXISTS nothing;
DROP TYPE IF EXISTS nothing;
DROP FUNCTION IF EXISTS nothing();
DROP SCHEMA IF EXISTS nothing;

WITH moved AS (DELETE FROM shop.part RETURNING *) INSERT INTO shop.part SELECT * FROM moved;

WITH x AS (SELECT 1 AS id) UPDATE shop.part SET item = x.id FROM x WHERE false;

MERGE INTO shop.part p USING shop.item i ON p.id = i.id WHEN NOT MATCHED THEN INSERT VALUES (i.id, i.id);

CREATE TABLE shop.kid () INHERITS (shop."Odd Name");
ALTER TABLE shop.kid DROP CONSTRAINT IF EXISTS x;
ALTER TABLE shop."Odd Name" ADD COLUMN z int;
ALTER TABLE shop.kid ALTER COLUMN z SET DEFAULT 1;

CREATE RULE r AS ON INSERT TO shop.cheap DO INSTEAD NOTHING;
DROP RULE r ON shop.cheap;
COMMENT ON TABLE shop.item IS 'x';

CREATE STATISTICS shop.st ON id, name FROM shop.item;
ALTER STATISTICS shop.st RENAME TO st2;
DROP STATISTICS shop.st2;

ALTER TABLE shop.item ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON shop.item TO reader, PUBLIC USING (true);
ALTER POLICY p ON shop.item TO CURRENT_USER, SESSION_USER;
DROP POLICY p ON shop.item;

GRANT SELECT ON ALL TABLES IN SCHEMA shop TO reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO reader;
REVOKE ALL ON shop.item FROM PUBLIC;

ALTER DEFAULT PRIVILEGES FOR ROLE shop_owner IN SCHEMA shop GRANT SELECT ON TABLES TO reader;

ALTER TABLE shop.item OWNER TO CURRENT_USER;
ALTER TABLE shop.item OWNER TO shop_owner;

COMMENT ON DATABASE live IS 'x';

ALTER TABLE shop.part ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY;
ALTER SEQUENCE shop.part_id_seq RESTART WITH 5;

ALTER SEQUENCE shop.numbers RENAME TO counts;
CREATE SEQUENCE shop.numbers;
ALTER SEQUENCE shop.counts OWNED BY shop.item.id;

CREATE TABLE shop.item_name2 (a int);
DROP INDEX shop.item_name;
ALTER TABLE shop.item_name2 RENAME TO item_name;
ALTER TABLE shop.item_name DROP COLUMN a;

ALTER TABLE shop.item DROP COLUMN name CASCADE;
CREATE INDEX item_name ON shop.item (id);
CREATE VIEW shop.cheap AS SELECT 1;

ALTER TABLE shop.item DROP CONSTRAINT item_pkey CASCADE;
ALTER TABLE shop.part ADD CONSTRAINT part_item_fkey CHECK (id > 0);
ALTER TABLE shop.item ADD CONSTRAINT item_pkey PRIMARY KEY (id);

INSERT INTO shop.cheap (id, name) VALUES (9, 'a');

PREPARE p AS SELECT 1;
EXECUTE p;
DEALLOCATE p;
DISCARD TEMP;

DECLARE c CURSOR FOR SELECT 1;
FETCH c;
CLOSE c;

ALTER TABLE ONLY shop.item ADD COLUMN only_here int;
ALTER TABLE shop.item * ADD COLUMN star int;

CREATE TABLE IF NOT EXISTS shop.item (a int);
CREATE INDEX IF NOT EXISTS item_name ON shop.item (id);
CREATE SCHEMA IF NOT EXISTS shop;
CREATE SEQUENCE IF NOT EXISTS shop.numbers;
CREATE OR REPLACE VIEW shop.cheap AS SELECT id, name FROM shop.item;

CREATE UNLOGGED TABLE shop.u (a int);
ALTER TABLE shop.u SET LOGGED;
LOCK TABLE shop.u;
TRUNCATE shop.u;
ANALYZE shop.u;

CREATE AGGREGATE shop.s (int) (sfunc = int4pl, stype = int, initcond = '0');
ALTER AGGREGATE shop.s (int) RENAME TO s2;
DROP AGGREGATE shop.s2 (int);

CREATE CAST (shop.mood AS int) WITH INOUT;
DROP CAST (shop.mood AS int);

REASSIGN OWNED BY shop_owner TO shop_owner;
DROP OWNED BY friend;

ALTER TABLE shop.item DISABLE TRIGGER USER;
ALTER TABLE shop.item ENABLE TRIGGER USER;

ALTER TABLE shop."Odd Name" DISABLE TRIGGER ALL;

CREATE TABLE shop.a (id int PRIMARY KEY);
CREATE TABLE shop.b (a int REFERENCES shop.a);
DROP TABLE shop.a, shop.b;
CREATE TABLE shop.a (id int);

ALTER TABLE shop.item REPLICA IDENTITY FULL;
ALTER TABLE shop.item CLUSTER ON item_pkey;
ALTER TABLE shop.item SET (fillfactor = 90);
ALTER TABLE shop.item ALTER COLUMN name SET STATISTICS 5;

SELECT set_config('search_path', '', false);
CREATE TABLE public.t1 (a int);
ALTER TABLE public.t1 ADD COLUMN b int;

SET ROLE friend;
SET ROLE shop_owner;
RESET ALL;
SET TIME ZONE LOCAL;
SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE;
SET CONSTRAINTS ALL IMMEDIATE;

SET "app".x = '1';
SET my.var TO DEFAULT;
SET LOCAL work_mem = '64MB';
SET maintenance_work_mem TO '1GB';
SET synchronous_commit = off;
SET idle_in_transaction_session_timeout = 0;
SET Statement_Timeout = 5000;
SET check_function_bodies = false;
SET xmloption = content;
SET transaction_timeout = 0;
SET default_tablespace = '';
SET default_table_access_method = heap;
SET standard_conforming_strings = on;
SET plpgsql.extra_warnings = 'all';

DROP VIEW shop.cheap;
ALTER TABLE shop.item DROP COLUMN name;
CREATE INDEX item_name ON shop.part (id);

CREATE INDEX ON shop.item (price);
ALTER INDEX shop.item_price_idx RENAME TO p;
DROP INDEX shop.p;

CREATE TABLE shop.averyveryveryveryverylongnameofatableindeed (acolumnwithalongnametoo int UNIQUE);
DROP TABLE shop.averyveryveryveryverylongnameofatableindeed;

ALTER TABLE shop.item SET SCHEMA public;
CREATE INDEX item_name ON shop.part (id);

CREATE SCHEMA two;
ALTER TABLE shop.item SET SCHEMA two;
CREATE INDEX item_name ON shop.part (id);

DROP TYPE shop.mood CASCADE;
CREATE TYPE shop.mood AS ENUM ('z');

DROP FUNCTION shop.seen CASCADE;
CREATE FUNCTION shop.seen() RETURNS int LANGUAGE sql AS 'SELECT 1';

DROP OWNED BY shop_owner;
CREATE TABLE public.zz (a int);

DROP TABLE shop.item CASCADE;
DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_views WHERE viewname = 'cheap') THEN CREATE VIEW shop.cheap AS
  SELECT 1 AS a; END IF; END $$;
DROP VIEW shop.cheap;

ALTER TABLE shop.item ADD COLUMN q int UNIQUE;
DO $$ BEGIN IF EXISTS (SELECT FROM pg_constraint WHERE conname = 'item_q_key') THEN ALTER TABLE shop.item DROP
  CONSTRAINT item_q_key; ALTER TABLE shop.item ADD COLUMN r int; END IF; END $$;
ALTER TABLE shop.item ALTER COLUMN r SET DEFAULT 1;

ALTER TABLE shop."Odd Name" ADD UNIQUE (id);
ALTER INDEX shop."Odd Name_id_key" RENAME TO k;
ALTER TABLE shop."Odd Name" DROP CONSTRAINT k;

ALTER TABLE shop."Odd Name" RENAME TO plain;
ALTER TABLE shop.plain ADD UNIQUE (id);
DROP INDEX IF EXISTS shop.nope;
ALTER TABLE shop.plain DROP CONSTRAINT plain_id_key;

INSERT INTO shop.tenant VALUES ('acme');
ALTER TABLE shop.acme_log ADD COLUMN b int;
