-- Software 1 keeps it too. Without NOT VALID the whole table would be read under a lock that stops every writer.
-- verdigris: contract shop.orders.orders_total unused because software 1 never writes a negative total
ALTER TABLE shop.orders ADD CONSTRAINT orders_total CHECK (total >= 0) NOT VALID;
