CREATE OR REPLACE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO change_log (relation, at) VALUES (TG_TABLE_NAME, now());
  RETURN NULL;
END $$;
CREATE OR REPLACE VIEW recent_changes AS SELECT * FROM change_log ORDER BY change_id DESC LIMIT 50;
