-- Needs audit/note_change.sql.
CREATE OR REPLACE TRIGGER customer_note_change AFTER UPDATE ON customer FOR EACH ROW EXECUTE FUNCTION note_change();
CREATE OR REPLACE TRIGGER employee_note_change AFTER UPDATE ON employee FOR EACH ROW EXECUTE FUNCTION note_change();
