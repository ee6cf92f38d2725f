CREATE OR REPLACE FUNCTION keep_total() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE invoice SET total = invoice_total(invoice_id) WHERE invoice_id = coalesce(NEW.invoice_id, OLD.invoice_id);
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER invoice_line_keep_total AFTER INSERT OR UPDATE OR DELETE ON invoice_line FOR EACH ROW EXECUTE FUNCTION keep_total();
CREATE OR REPLACE FUNCTION refuse_negative() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.quantity < 0 THEN RAISE EXCEPTION 'a quantity is not negative'; END IF;
  RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER invoice_line_refuse_negative BEFORE INSERT OR UPDATE ON invoice_line FOR EACH ROW EXECUTE FUNCTION refuse_negative();
