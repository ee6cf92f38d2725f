CREATE OR REPLACE FUNCTION artist_name(wanted int) RETURNS text LANGUAGE sql STABLE AS $$ SELECT name FROM artist WHERE artist_id = wanted $$;
CREATE OR REPLACE FUNCTION artist_albums(wanted int) RETURNS SETOF album_facts LANGUAGE sql STABLE AS $$
  SELECT f.* FROM album_facts f JOIN album USING (album_id) WHERE artist_id = wanted ORDER BY f.title
$$;
CREATE OR REPLACE VIEW artist_facts AS
  SELECT artist_id, name, (SELECT count(*) FROM artist_albums(artist_id)) AS albums FROM artist;
