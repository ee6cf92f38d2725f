import { rows, type Client } from '../postgres/client.ts';

/** What always holds of the sample, whatever its procedures did; `bad` counts the rows that break it. */
const rules: readonly (readonly [string, string])[] = [
  [
    'the total of an order is the sum of its items',
    `
    SELECT FROM shop.orders o LEFT JOIN (SELECT order_id, sum(amount) AS amount FROM shop.order_items GROUP BY order_id) i ON i.order_id = o.id
    WHERE o.total IS DISTINCT FROM coalesce(i.amount, 0)`,
  ],
  [
    'the stock of a product is the sum of its movements',
    `
    SELECT FROM shop.products p LEFT JOIN (SELECT product_id, sum(quantity) AS quantity FROM shop.stock_movements GROUP BY product_id) m ON m.product_id = p.id
    WHERE p.stock IS DISTINCT FROM coalesce(m.quantity, 0)`,
  ],
  [
    'a paid or shipped order is paid in full, any other has nothing paid',
    `
    SELECT FROM shop.orders o LEFT JOIN (SELECT order_id, sum(amount) AS amount FROM shop.payments GROUP BY order_id) p ON p.order_id = o.id
    WHERE coalesce(p.amount, 0) <> CASE WHEN o.status IN ('paid', 'shipped') THEN o.total ELSE 0 END`,
  ],
  [
    'exactly the shipped orders have a shipment',
    `
    SELECT FROM shop.orders o LEFT JOIN shop.shipments s ON s.order_id = o.id WHERE (o.status = 'shipped') <> (s.id IS NOT NULL)`,
  ],
  [
    'every order has its event',
    `
    SELECT FROM shop.orders o WHERE NOT EXISTS (SELECT FROM shop.events e WHERE e.subject = o.number AND e.kind LIKE 'order.%')`,
  ],
];

/** The rules of the business that do not hold, with the number of rows that break each; empty where all is well. */
export async function checkSample(client: Client): Promise<string[]> {
  const broken: string[] = [];
  for (const [rule, sql] of rules) {
    const [found] = await rows<{ bad: string }>(client, `SELECT count(*) AS bad FROM (${sql}) broken`);
    if (found?.bad !== '0') broken.push(`${rule}: broken ${found?.bad} times`);
  }
  return broken;
}
