import { one, type Client } from '../../../src/postgres/client.ts';

export const upgrade = 'test/postgres-upgrade:15-to-17';
export const declaration = { colours: { blue: { release: '1', postgres: 15 }, green: { release: '2', postgres: 17 } } };

/**
 * What the majors treat differently: a view whose text they print otherwise, an extension, a generated column, an index
 * to be kept, a role with a password.
 */
export async function fill(client: Client): Promise<void> {
  await client.query(`
    CREATE EXTENSION pg_stat_statements;
    CREATE TABLE public.book (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text NOT NULL,
    cents int NOT NULL, euro numeric GENERATED ALWAYS AS (cents / 100.0) STORED, search tsvector);
    CREATE INDEX book_search ON public.book USING gin (search);
    INSERT INTO public.book (title, cents, search) SELECT 'title ' || n, n, to_tsvector('simple', 'title ' || n) FROM generate_series(1, 20000) n;
    ALTER TABLE public.book DROP COLUMN search, ADD COLUMN note text;
    CREATE VIEW public.cheap AS SELECT book.id, book.title FROM public.book WHERE book.cents < 100;
    CREATE MATERIALIZED VIEW public.totals AS SELECT count(*) AS books, sum(cents) AS cents FROM public.book;
    CREATE ROLE auditor LOGIN PASSWORD 'auditor' VALID UNTIL '2040-01-01';
    ALTER ROLE auditor SET work_mem = '8MB'`);
}

export const major = (client: Client) =>
  one<{ major: number }>(client, "SELECT current_setting('server_version_num')::int / 10000 AS major");
