-- verdigris: place=candidate reason=points are counted again every night, so that payments made meanwhile may be missing until then
UPDATE shop.customers c SET loyalty_points = floor(p.paid / 10)
FROM (SELECT o.customer_id, greatest(sum(p.amount), 0) AS paid FROM shop.payments p JOIN shop.orders o ON o.id = p.order_id GROUP BY o.customer_id) p
WHERE p.customer_id = c.id AND c.loyalty_points <> floor(p.paid / 10);
