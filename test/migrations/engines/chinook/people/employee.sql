CREATE OR REPLACE VIEW employee_tree AS
  WITH RECURSIVE tree AS (
    SELECT employee_id, full_name(first_name, last_name) AS name, 0 AS depth FROM employee WHERE reports_to IS NULL
    UNION ALL SELECT e.employee_id, full_name(e.first_name, e.last_name), t.depth + 1 FROM employee e JOIN tree t ON t.employee_id = e.reports_to)
  SELECT * FROM tree;
CREATE OR REPLACE FUNCTION employee_depth(wanted int) RETURNS int LANGUAGE sql STABLE AS $$ SELECT depth FROM employee_tree WHERE employee_id = wanted $$;
CREATE OR REPLACE VIEW support_load AS SELECT support_rep_id AS employee_id, count(*) AS customers FROM customer GROUP BY 1;
