-- Makes what catalogue/artist.sql waits for: a function and a view that need each other's files.
CREATE OR REPLACE FUNCTION artist_name(wanted int) RETURNS text LANGUAGE sql STABLE AS $$ SELECT name FROM artist WHERE artist_id = wanted $$;
