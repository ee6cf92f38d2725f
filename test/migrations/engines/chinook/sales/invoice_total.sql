CREATE OR REPLACE FUNCTION line_total(price numeric, quantity int) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$ SELECT price * quantity $$;
CREATE OR REPLACE FUNCTION invoice_total(wanted int) RETURNS numeric LANGUAGE sql STABLE AS $$
  SELECT coalesce(sum(line_total(unit_price, quantity)), 0) FROM invoice_line WHERE invoice_id = wanted
$$;
CREATE OR REPLACE VIEW invoice_facts AS SELECT invoice_id, customer_id, invoice_date, total, invoice_total(invoice_id) AS computed FROM invoice;
