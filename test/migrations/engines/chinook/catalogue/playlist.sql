CREATE OR REPLACE VIEW playlist_facts AS
  SELECT p.playlist_id, p.name, count(pt.track_id) AS tracks, coalesce(sum(track_length(pt.track_id)), interval '0') AS length
  FROM playlist p LEFT JOIN playlist_track pt USING (playlist_id) GROUP BY p.playlist_id;
CREATE OR REPLACE PROCEDURE append_to_playlist(list int, added int) LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO playlist_track (playlist_id, track_id) VALUES (list, added) ON CONFLICT DO NOTHING;
END $$;
