-- Same name, arguments and result. The points are counted again and not added to: what software 1 is paid after the backfill is
-- counted with the customer's next payment.
CREATE OR REPLACE FUNCTION shop.pay_order(which bigint, how shop.payment_method) RETURNS numeric LANGUAGE plpgsql SET search_path = shop, pg_temp AS $$
DECLARE
  due numeric;
  payer int;
BEGIN
  UPDATE orders SET status = 'paid' WHERE id = which RETURNING total, customer_id INTO due, payer;
  IF due IS NULL THEN
    RAISE EXCEPTION 'there is no order %', which USING ERRCODE = 'no_data_found';
  END IF;
  IF due > 0 THEN
    INSERT INTO payments (order_id, method, amount) VALUES (which, how, due);
    UPDATE customers SET loyalty_points =
      (SELECT floor(greatest(sum(p.amount), 0) / 10) FROM payments p JOIN orders o ON o.id = p.order_id WHERE o.customer_id = payer)
    WHERE id = payer;
  END IF;
  RETURN due;
END $$;
