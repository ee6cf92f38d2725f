CREATE OR REPLACE FUNCTION album_price(wanted int) RETURNS numeric LANGUAGE sql STABLE AS $$
  SELECT coalesce(sum(track_price(track_id)), 0) FROM track WHERE album_id = wanted
$$;
