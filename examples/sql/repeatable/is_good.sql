CREATE OR REPLACE FUNCTION is_good(credit numeric) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT credit >= 0 $$;
