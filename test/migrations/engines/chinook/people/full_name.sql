CREATE OR REPLACE FUNCTION full_name(first text, last text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT first || ' ' || last $$;
CREATE OR REPLACE FUNCTION clean_email() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.email := lower(trim(NEW.email));
  RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER customer_clean_email BEFORE INSERT OR UPDATE OF email ON customer FOR EACH ROW EXECUTE FUNCTION clean_email();
