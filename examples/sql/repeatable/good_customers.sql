-- Calls a function of a file that comes later by name: the order is found.
CREATE OR REPLACE VIEW good_customers AS SELECT id, name FROM customers WHERE is_good(credit);
