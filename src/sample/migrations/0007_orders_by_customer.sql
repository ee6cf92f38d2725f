-- Alone in its file: it cannot run in a transaction.
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_customer_placed ON shop.orders (customer_id, placed_at DESC);
