-- Columns may only be added at the end of a view that is replaced.
CREATE OR REPLACE VIEW shop.order_overview AS
  SELECT o.id, o.number, c.name AS customer, c.country, o.status, o.total, o.placed_at, c.loyalty_points
  FROM shop.orders o JOIN shop.customers c ON c.id = o.customer_id;
