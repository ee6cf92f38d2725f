-- Outside a transaction: the runner sees that, and remembers how far it came.
CREATE INDEX CONCURRENTLY customers_name ON customers (name);
