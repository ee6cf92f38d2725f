CREATE OR REPLACE VIEW best_sellers AS
  SELECT t.track_id, t.name, s.sold, s.revenue FROM track t JOIN track_sales s USING (track_id) ORDER BY s.revenue DESC, t.track_id LIMIT 100;
CREATE OR REPLACE FUNCTION top_seller() RETURNS text LANGUAGE sql STABLE AS $$ SELECT name FROM best_sellers LIMIT 1 $$;
