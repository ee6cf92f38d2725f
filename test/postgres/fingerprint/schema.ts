/**
 * A schema with something of every kind, as a user would write it. Runs on 15 and later, in any database, twice on one
 * server.
 */
export const sampleSchema = `
  CREATE SCHEMA app; CREATE SCHEMA "Odd name";
  CREATE EXTENSION pgcrypto SCHEMA app;
  CREATE TYPE app.status AS ENUM ('new', 'paid');
  CREATE DOMAIN app.cents AS bigint DEFAULT 0 CONSTRAINT positive CHECK (VALUE >= 0);
  CREATE TYPE app.pair AS (a int, b text);
  CREATE TYPE app.span AS RANGE (subtype = float8, subtype_diff = float8mi);
  CREATE COLLATION app.plain (provider = libc, locale = 'C');
  CREATE SEQUENCE app.tickets INCREMENT BY -5 MINVALUE -1000 MAXVALUE 10 START 10;
  CREATE FUNCTION app.double(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT x * 2';
  CREATE TABLE app.customers (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, mail text UNIQUE, note text);
  CREATE TABLE app.orders (
    id bigserial PRIMARY KEY, customer int NOT NULL CONSTRAINT customer_fk REFERENCES app.customers, state app.status DEFAULT 'new',
    total app.cents, at timestamptz DEFAULT '2026-01-01 00:00+02',
    doubled int GENERATED ALWAYS AS (app.double(5)) STORED, CONSTRAINT big CHECK (total < 1000000));
  CREATE INDEX orders_at ON app.orders (at) WHERE state = 'new';
  CREATE STATISTICS app.orders_stats ON customer, state FROM app.orders;
  CREATE TABLE app.events (id int, at timestamptz NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
  CREATE TABLE app.events_2026 PARTITION OF app.events FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2027-01-01 00:00+00');
  CREATE TABLE "Odd name"."Odd table" ("a.b" int PRIMARY KEY, "c""d" text);
  CREATE VIEW app.open_orders AS SELECT id, total FROM app.orders WHERE state = 'new';
  CREATE MATERIALIZED VIEW app.totals AS SELECT c.name, sum(o.total) AS total FROM app.orders o JOIN app.customers c ON c.id = o.customer GROUP BY c.name;
  CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := 'x'; RETURN NEW; END $$;
  CREATE TRIGGER touch BEFORE UPDATE ON app.customers FOR EACH ROW EXECUTE FUNCTION app.touch();
  CREATE RULE no_delete AS ON DELETE TO app.customers DO INSTEAD NOTHING;
  CREATE PROCEDURE app.tidy() LANGUAGE sql AS 'SELECT 1';
  CREATE AGGREGATE app.total(int) (sfunc = int4pl, stype = int, initcond = '0');
  CREATE FUNCTION app.same(a app.pair, b app.pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
  CREATE OPERATOR app.=== (leftarg = app.pair, rightarg = app.pair, function = app.same);
  CREATE FUNCTION app.to_text(app.pair) RETURNS text LANGUAGE sql IMMUTABLE RETURN ($1).b;
  CREATE CAST (app.pair AS text) WITH FUNCTION app.to_text(app.pair);
  ALTER TABLE app.customers ENABLE ROW LEVEL SECURITY;
  CREATE POLICY own ON app.customers FOR SELECT TO PUBLIC USING (name = current_user);
  CREATE FUNCTION app.audit() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
  CREATE EVENT TRIGGER audit ON ddl_command_end EXECUTE FUNCTION app.audit();
  CREATE TEXT SEARCH CONFIGURATION app.search (COPY = pg_catalog.simple);
  CREATE PUBLICATION cdc FOR TABLE app.orders (id, total) WHERE (id > 5);
  COMMENT ON TABLE app.orders IS 'what was bought';
  GRANT SELECT ON app.orders TO readers;
  GRANT UPDATE (note) ON app.customers TO writers;
  GRANT ALL ON app.customers TO writers;
  REVOKE EXECUTE ON FUNCTION app.double(int) FROM PUBLIC;
  ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO readers`;

export const sampleRoles = 'CREATE ROLE readers; CREATE ROLE writers';
