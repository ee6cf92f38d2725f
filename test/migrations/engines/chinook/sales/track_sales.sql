CREATE OR REPLACE VIEW track_sales AS
  SELECT track_id, sum(quantity) AS sold, sum(line_total(unit_price, quantity)) AS revenue FROM invoice_line GROUP BY track_id;
