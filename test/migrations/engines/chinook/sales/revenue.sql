CREATE OR REPLACE VIEW country_revenue AS SELECT billing_country AS country, sum(total) AS revenue FROM invoice GROUP BY 1;
CREATE OR REPLACE VIEW yearly_revenue AS SELECT extract(year FROM invoice_date)::int AS year, sum(total) AS revenue FROM invoice GROUP BY 1;
CREATE OR REPLACE FUNCTION revenue_of(wanted text) RETURNS numeric LANGUAGE sql STABLE AS $$ SELECT revenue FROM country_revenue WHERE country = wanted $$;
