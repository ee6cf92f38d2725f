/**
 * pg_temp.r(n, salt, below): a whole number from 0 to below - 1, scattered by squaring modulo the prime 2^31 - 1, in
 * integer arithmetic that is the same on every machine and major. SQL inlines it.
 */
export function random(seed: number): string {
  const start = Math.abs(Math.trunc(seed)) % 1_000_003;
  return `
    CREATE FUNCTION pg_temp.r(n bigint, salt int, below int) RETURNS int LANGUAGE sql IMMUTABLE AS $$
      SELECT ((((a * a + ${start}) % 2147483647) * 39373 + salt) % 2147483647 % below)::int
      FROM (SELECT (n * 48271 + salt::bigint * 1299709 + ${start}::bigint * 15485863) % 2147483647 AS a) mixed
    $$`;
}

/** One statement a table. Every expression hangs on the row's number alone; ids come from the sequences, in order. */
export function statements(scale: number): string[] {
  const count = (base: number): number => Math.max(1, Math.round(base * scale));
  // The workload orders from the first 50 customers and products.
  const customers = Math.max(60, count(3_000));
  const products = Math.max(60, Math.round(500 * Math.sqrt(scale)));
  const orders = count(10_000);
  const start = "timestamptz '2026-01-01 00:00+00'";
  return [
    `INSERT INTO shop.customers (external_id, name, email, country, tags, preferences, credit_limit, joined_at, updated_at)
    SELECT md5('customer ' || n)::uuid, first || ' ' || last, lower(first || '.' || last) || n || '@example.com',
      (ARRAY['DE','FR','NL','SE','PL','IT','ES','GB'])[1 + pg_temp.r(n, 3, 8)],
      CASE pg_temp.r(n, 4, 4) WHEN 0 THEN '{}' WHEN 1 THEN ARRAY['retail'] WHEN 2 THEN ARRAY['retail','newsletter'] ELSE ARRAY['wholesale'] END,
      jsonb_build_object('language', (ARRAY['de','fr','en'])[1 + pg_temp.r(n, 5, 3)], 'paper', pg_temp.r(n, 6, 5) = 0),
      500 * (1 + pg_temp.r(n, 7, 20)), ${start} - interval '1 day' * pg_temp.r(n, 8, 900), ${start}
    FROM (SELECT n, (ARRAY['Ada','Bela','Cora','Dan','Eva','Finn','Gita','Hugo','Ida','Jan'])[1 + pg_temp.r(n, 1, 10)] AS first,
      (ARRAY['Abel','Berg','Cruz','Dahl','Ebner','Falk','Gruber','Haas','Ivers','Jung','Klein','Lund'])[1 + pg_temp.r(n, 2, 12)] AS last
      FROM generate_series(1, ${customers}) n) named ORDER BY n`,

    `INSERT INTO shop.products (sku, name, price, cost, attributes, categories, active, updated_at)
    SELECT (ARRAY['KI','GA','OF','TO'])[1 + kind] || '-' || n, adjective || ' ' || noun || ' ' || n, price, round(price * (40 + pg_temp.r(n, 13, 40)) / 100, 2),
      jsonb_build_object('grams', 50 + pg_temp.r(n, 14, 5000), 'colour', (ARRAY['red','grey','oak','steel'])[1 + pg_temp.r(n, 15, 4)]),
      ARRAY[(ARRAY['kitchen','garden','office','tools'])[1 + kind]] || CASE WHEN pg_temp.r(n, 16, 5) = 0 THEN ARRAY['sale'] ELSE '{}' END,
      n <= 55 OR pg_temp.r(n, 17, 20) > 0, ${start}
    FROM (SELECT n, pg_temp.r(n, 10, 4) AS kind, (199 + pg_temp.r(n, 11, 30000))::numeric / 100 AS price,
      (ARRAY['Small','Large','Folding','Plain','Double'])[1 + pg_temp.r(n, 12, 5)] AS adjective,
      (ARRAY['bowl','lamp','chair','spade','shelf','knife','box'])[1 + pg_temp.r(n, 18, 7)] AS noun
      FROM generate_series(1, ${products}) n) named ORDER BY n`,

    `INSERT INTO shop.stock_movements (product_id, quantity, reason, moved_at)
    SELECT id, 1000000 + pg_temp.r(id, 20, 1000), 'delivery', ${start} FROM shop.products ORDER BY id`,

    `INSERT INTO shop.orders (customer_id, status, placed_at, updated_at, note)
    SELECT 1 + pg_temp.r(n, 30, ${customers}),
      (ARRAY['new','new','paid','paid','paid','shipped','shipped','shipped','shipped','shipped','shipped',
        'cancelled'])[1 + pg_temp.r(n, 31, 12)]::shop.order_status,
      at, at + interval '1 minute' * pg_temp.r(n, 32, 5000), CASE WHEN pg_temp.r(n, 33, 10) = 0 THEN 'please ring twice' END
    FROM (SELECT n, ${start} + interval '180 days' * n / ${orders} + interval '1 second' * pg_temp.r(n, 34, 900) AS at
    FROM generate_series(1, ${orders}) n) placed ORDER BY n`,

    `INSERT INTO shop.order_items (order_id, line, product_id, quantity, unit_price)
    SELECT o.id, line, p.id, 1 + pg_temp.r(o.id * 4 + line, 41, 5), p.price
    FROM shop.orders o CROSS JOIN LATERAL generate_series(1, 1 + pg_temp.r(o.id, 40, 4)) line
    JOIN shop.products p ON p.id = 1 + pg_temp.r(o.id * 4 + line, 42, ${products}) ORDER BY o.id, line`,

    `INSERT INTO shop.stock_movements (product_id, quantity, reason, order_id, moved_at)
    SELECT i.product_id, -i.quantity, 'sale', i.order_id, o.placed_at FROM shop.order_items i
      JOIN shop.orders o ON o.id = i.order_id ORDER BY i.order_id, i.line`,

    `INSERT INTO shop.stock_movements (product_id, quantity, reason, order_id, moved_at)
    SELECT i.product_id, i.quantity, 'return', i.order_id, o.updated_at FROM shop.order_items i JOIN shop.orders o ON o.id = i.order_id
    WHERE o.status = 'cancelled' ORDER BY i.order_id, i.line`,

    `INSERT INTO shop.payments (order_id, method, amount, paid_at)
    SELECT id, (ARRAY['card','card','transfer','invoice'])[1 + pg_temp.r(id, 50, 4)]::shop.payment_method, total, updated_at
    FROM shop.orders WHERE status IN ('paid', 'shipped') OR status = 'cancelled' AND pg_temp.r(id, 51, 2) = 0 ORDER BY id`,

    `INSERT INTO shop.payments (order_id, method, amount, refund_number, paid_at)
    SELECT p.order_id, p.method, -p.amount, nextval('shop.refund_number'), p.paid_at + interval '1 day'
    FROM (SELECT p.* FROM shop.payments p JOIN shop.orders o ON o.id = p.order_id WHERE o.status = 'cancelled' ORDER BY p.id) p`,

    `INSERT INTO shop.shipments (id, order_id, carrier, address, shipped_at)
    SELECT md5('shipment ' || o.id)::uuid, o.id, (ARRAY['Post','Rad','Bahn'])[1 + pg_temp.r(o.id, 60, 3)],
      jsonb_build_object('name', c.name, 'country', c.country), o.updated_at
    FROM shop.orders o JOIN shop.customers c ON c.id = o.customer_id WHERE o.status = 'shipped' ORDER BY o.id`,

    `INSERT INTO shop.events (at, kind, subject, data)
    SELECT ${start} - interval '10 days' + interval '200 days' * n / ${count(15_000)},
      (ARRAY['customer.login','customer.logout','page.view'])[1 + pg_temp.r(n, 70, 3)],
      'customer ' || 1 + pg_temp.r(n, 71, ${customers}), jsonb_build_object('page', pg_temp.r(n, 72, 400), 'ms', pg_temp.r(n, 73, 900))
    FROM generate_series(1, ${count(15_000)}) n ORDER BY n`,
  ];
}
