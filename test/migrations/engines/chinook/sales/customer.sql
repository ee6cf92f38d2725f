CREATE OR REPLACE FUNCTION customer_total(wanted int) RETURNS numeric LANGUAGE sql STABLE AS $$
  SELECT coalesce(sum(invoice_total(invoice_id)), 0) FROM invoice WHERE customer_id = wanted
$$;
CREATE OR REPLACE FUNCTION customer_grade(wanted int) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE total numeric := customer_total(wanted);
BEGIN
  IF total > 45 THEN RETURN 'gold'; END IF;
  IF total > 38 THEN RETURN 'silver'; END IF;
  RETURN 'plain';
END $$;
CREATE OR REPLACE VIEW customer_facts AS
  SELECT customer_id, full_name(first_name, last_name) AS name, customer_total(customer_id) AS total, customer_grade(customer_id) AS grade FROM customer;
