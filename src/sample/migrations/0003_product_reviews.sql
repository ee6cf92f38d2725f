CREATE TABLE shop.product_reviews (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  product_id int NOT NULL REFERENCES shop.products,
  customer_id int NOT NULL REFERENCES shop.customers,
  stars smallint NOT NULL CHECK (stars BETWEEN 1 AND 5),
  words text,
  written_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (product_id, customer_id)
);
GRANT SELECT ON shop.product_reviews TO shop_app, shop_reader;
GRANT INSERT, UPDATE ON shop.product_reviews TO shop_app;
