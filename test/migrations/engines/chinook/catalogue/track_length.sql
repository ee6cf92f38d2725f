CREATE OR REPLACE FUNCTION track_length(wanted int) RETURNS interval LANGUAGE sql STABLE AS $$
  SELECT milliseconds * interval '1 millisecond' FROM track WHERE track_id = wanted
$$;
CREATE OR REPLACE FUNCTION track_price(wanted int) RETURNS numeric LANGUAGE sql STABLE AS $$ SELECT unit_price FROM track WHERE track_id = wanted $$;
