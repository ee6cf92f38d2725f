CREATE OR REPLACE VIEW genre_facts AS
  SELECT g.genre_id, g.name, count(t.track_id) AS tracks, avg(t.milliseconds)::int AS average_ms FROM genre g LEFT JOIN track t USING (genre_id) GROUP BY g.genre_id;
CREATE OR REPLACE FUNCTION genre_share(wanted int) RETURNS numeric LANGUAGE sql STABLE AS $$
  SELECT round(tracks * 100.0 / nullif((SELECT sum(tracks) FROM genre_facts), 0), 2) FROM genre_facts WHERE genre_id = wanted
$$;
