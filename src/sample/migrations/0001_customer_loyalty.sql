-- Software 1 inserts customers without these columns, so each has a default or may be NULL.
ALTER TABLE shop.customers
  ADD COLUMN loyalty_points int NOT NULL DEFAULT 0,
  ADD COLUMN phone text;
COMMENT ON COLUMN shop.customers.loyalty_points IS 'One for every whole 10 paid';
