/** The schema that every statement of the corpus, and every example of a rule, is held against: told to the linter, and built on the server. */
export const schema = `
CREATE TABLE p (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
CREATE TABLE t (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  a integer CONSTRAINT t_a_check CHECK (a >= 0),
  b text,
  c text NOT NULL,
  d varchar(20),
  e numeric(10,2),
  u uuid CONSTRAINT t_u_key UNIQUE,
  at timestamptz DEFAULT now(),
  stamp timestamp,
  doc json,
  code char(5),
  short smallint,
  flag boolean NOT NULL DEFAULT false,
  p_id bigint
);
CREATE INDEX t_b_idx ON t (b);
CREATE TABLE k (id bigint NOT NULL, e bigint);
ALTER TABLE k REPLICA IDENTITY FULL;
CREATE TABLE lone (id bigint PRIMARY KEY);
CREATE TABLE g (id bigint PRIMARY KEY, a integer, twice integer GENERATED ALWAYS AS (a * 2) STORED);
CREATE TABLE m (id bigint, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE m_2025 PARTITION OF m FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE m_2026 (id bigint NOT NULL, at date NOT NULL, PRIMARY KEY (id, at));
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE unused AS ENUM ('x');
CREATE TABLE moods (id bigint PRIMARY KEY, feel mood);
CREATE DOMAIN cents AS bigint;
CREATE TABLE prices (id bigint PRIMARY KEY, price cents);
CREATE SEQUENCE s;
CREATE TABLE seen (id bigint PRIMARY KEY, a integer, b text, c text, d text, e text);
CREATE VIEW v AS SELECT id, a, b FROM seen;
CREATE MATERIALIZED VIEW mv AS SELECT id, b FROM seen;
CREATE UNIQUE INDEX mv_id ON mv (id);
CREATE FUNCTION f(x integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT x';
CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER t_touch BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION tf();
CREATE SCHEMA old;
CREATE TABLE old.dusty (id bigint PRIMARY KEY);
`;

/** Rows, so that a scan or a rewrite has something to work on. */
export const data = `
INSERT INTO p (name) SELECT 'p' || i FROM generate_series(1, 50) i;
INSERT INTO t (a, b, c, d, e, u, stamp, doc, code, short, p_id)
  SELECT i, 'b' || i, 'c', 'd', i, gen_random_uuid(), now(), '{}', 'x', 1, 1 + i % 50 FROM generate_series(1, 200) i;
INSERT INTO seen (id, a, b) SELECT i, i, 'b' FROM generate_series(1, 50) i;
INSERT INTO k SELECT i, i FROM generate_series(1, 50) i;
INSERT INTO lone SELECT i FROM generate_series(1, 5) i;
INSERT INTO g (id, a) SELECT i, i FROM generate_series(1, 50) i;
INSERT INTO m SELECT i, '2025-06-01' FROM generate_series(1, 50) i;
INSERT INTO m_2026 SELECT i, '2026-06-01' FROM generate_series(1, 50) i;
INSERT INTO moods VALUES (1, 'sad');
INSERT INTO prices VALUES (1, 100);
INSERT INTO old.dusty VALUES (1);
REFRESH MATERIALIZED VIEW mv;
`;
