-- Needs catalogue/track_length.sql, which comes later by name.
CREATE OR REPLACE FUNCTION album_length(wanted int) RETURNS interval LANGUAGE sql STABLE AS $$
  SELECT coalesce(sum(track_length(track_id)), interval '0') FROM track WHERE album_id = wanted
$$;
CREATE OR REPLACE VIEW album_facts AS
  SELECT a.album_id, a.title, artist_name(a.artist_id) AS artist, album_length(a.album_id) AS length, album_price(a.album_id) AS price FROM album a;
