import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Server } from '../../src/platform/local/server.ts';
import { one, rows, type Client } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { checkSample } from '../../src/sample/check.ts';
import { generateSample } from '../../src/sample/generate.ts';
import { createSampleSchema, sampleMigrations, sampleRoles } from '../../src/sample/sample.ts';
import { judge } from '../../src/workload/judge.ts';
import { prepareWorkload } from '../../src/workload/schema.ts';
import { startWorkload } from '../../src/workload/start.ts';
import { connectionTo, temporaryFolder, withDatabase } from '../support/postgres.ts';
import { good } from '../support/verdict.ts';

async function withSample<T>(use: (client: Client, server: Server) => Promise<T>): Promise<T> {
  return withDatabase(async (client, server) => {
    await client.query(`CREATE ROLE ${sampleRoles.app} LOGIN; CREATE ROLE ${sampleRoles.reader} LOGIN`);
    await createSampleSchema(client);
    return use(client, server);
  });
}

async function digests(client: Client): Promise<unknown> {
  const tables = await rows<{ name: string }>(
    client,
    "SELECT oid::regclass::text AS name FROM pg_class WHERE relkind IN ('r', 'm') AND relnamespace = 'shop'::regnamespace ORDER BY 1",
  );
  const all: Record<string, string> = {};
  for (const { name } of tables) {
    const { digest } = await one<{ digest: string }>(
      client,
      `SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, ',' ORDER BY t::text COLLATE "C")), '') AS digest FROM ${name} t`,
    );
    all[name] = digest;
  }
  return all;
}

test('some 100,000 rows are the same every time, hang together, and differ by seed', async () => {
  const first = await withSample(async (client) => {
    const generated = await generateSample(client, { seed: 7 });
    expect(generated.rows).toBeGreaterThan(90_000);
    expect(generated.rows).toBeLessThan(115_000);
    expect(await checkSample(client)).toEqual([]);
    const partitions = await rows<{ partition: string; n: number }>(
      client,
      'SELECT tableoid::regclass::text AS partition, count(*)::int AS n FROM shop.events GROUP BY 1',
    );
    expect(partitions).toHaveLength(7);
    return digests(client);
  });
  const again = await withSample(async (client) => {
    await generateSample(client, { seed: 7 });
    return digests(client);
  });
  expect(again).toEqual(first);
  const other = await withSample(async (client) => {
    await generateSample(client, { seed: 8, scale: 0.02 });
    expect(await checkSample(client)).toEqual([]);
    return digests(client);
  });
  expect(other).not.toEqual(first);
});

/** Orders through their whole life, as the application. Runs on release 1 and, unchanged, on release 2. */
async function trade(server: Server): Promise<void> {
  await withClient(connectionTo(server, 'test', sampleRoles.app), 'test', async (app) => {
    const place = async (quantity: number): Promise<string> =>
      (
        await one<{ id: string }>(
          app,
          `SELECT shop.place_order(1, jsonb_build_array(jsonb_build_object('product_id', 1, 'quantity', $1::int),
            jsonb_build_object('product_id', 2, 'quantity', 1))) AS id`,
          [quantity],
        )
      ).id;
    const owes = async (): Promise<number> =>
      Number((await one<{ balance: string }>(app, 'SELECT shop.customer_balance(1) AS balance')).balance);
    const stock = async (): Promise<number> =>
      Number((await one<{ stock: string }>(app, 'SELECT stock FROM shop.products WHERE id = 1')).stock);
    const [before, had] = [await owes(), await stock()];

    const shipped = await place(3);
    const { total } = await one<{ total: string }>(app, 'SELECT shop.order_total($1) AS total', [shipped]);
    expect(await owes()).toBeCloseTo(before + Number(total), 2);
    expect((await one<{ paid: string }>(app, "SELECT shop.pay_order($1, 'card') AS paid", [shipped])).paid).toBe(total);
    expect(await owes()).toBeCloseTo(before, 2);
    await app.query("SELECT shop.ship_order($1, 'Post')", [shipped]);
    expect(await stock()).toBe(had - 3);
    await expect(app.query("SELECT shop.cancel_order($1, 'late')", [shipped])).rejects.toThrow(
      /cannot go from shipped to cancelled/,
    );

    const cancelled = await place(2);
    await app.query("SELECT shop.pay_order($1, 'invoice')", [cancelled]);
    await app.query("SELECT shop.cancel_order($1, 'changed my mind')", [cancelled]);
    expect(
      (
        await one<{ refund: string }>(
          app,
          'SELECT refund_number AS refund FROM shop.payments WHERE order_id = $1 AND amount < 0',
          [cancelled],
        )
      ).refund,
    ).toMatch(/^-\d+$/);
    await app.query('CALL shop.restock(1, 3)');
    expect([await owes(), await stock()]).toEqual([before, had]);

    await app.query('UPDATE shop.order_items SET quantity = 5 WHERE order_id = $1 AND line = 1', [await place(1)]);
    await expect(place(2_000_000)).rejects.toThrow('not in stock: ');
    await expect(app.query("SELECT shop.place_order(1, '[]')")).rejects.toThrow('at least one item');
    await app.query('CALL shop.refresh_sales()');
    expect((await app.query('SELECT * FROM shop.top_products(3)')).rowCount).toBe(3);
    await expect(app.query('DROP TABLE shop.orders')).rejects.toThrow('must be owner');
    expect(await checkSample(app)).toEqual([]);
  });
  await withClient(connectionTo(server, 'test', sampleRoles.reader), 'test', async (reader) => {
    expect((await reader.query('SELECT * FROM shop.order_overview LIMIT 1')).rowCount).toBe(1);
    await expect(reader.query('DELETE FROM shop.events')).rejects.toThrow('permission denied');
    await expect(reader.query("SELECT shop.pay_order(1, 'card')")).rejects.toThrow('permission denied');
  });
}

test('customers who order and pay in one transaction, several at a time, do not deadlock on release 2', async () => {
  await withSample(async (client, server) => {
    await generateSample(client, { scale: 0.05 });
    for (const file of (await readdir(sampleMigrations)).sort())
      await client.query(await readFile(path.join(sampleMigrations, file), 'utf8'));
    const order = (customer: number, product: number): string =>
      `shop.place_order(${customer}, '[{"product_id": ${product}, "quantity": 1}]')`;
    const active = (
      await rows<{ id: number }>(
        client,
        'SELECT id FROM shop.products WHERE active AND stock > 100 ORDER BY id LIMIT 4',
      )
    ).map(({ id }) => id);
    await Promise.all(
      active.map((product) =>
        withClient(connectionTo(server, 'test', sampleRoles.app), 'test', async (app) => {
          for (let turn = 0; turn < 25; turn++) {
            await app.query('BEGIN');
            const { id } = await one<{ id: string }>(app, `SELECT ${order(1, product)} AS id`);
            await app.query("SELECT shop.pay_order($1, 'card')", [id]);
            await app.query('COMMIT');
          }
        }),
      ),
    );
    expect(await checkSample(client)).toEqual([]);
  });
});

test('the business works unchanged before and after release 2', async () => {
  await withSample(async (client, server) => {
    await generateSample(client, { scale: 0.05 });
    await trade(server);
    const touched = await digests(client);
    for (const file of (await readdir(sampleMigrations)).sort()) {
      // One at a time: the index that is built concurrently is alone in its file.
      await client.query(await readFile(path.join(sampleMigrations, file), 'utf8'));
    }
    const { points, valid } = await one<{ points: string; valid: boolean }>(
      client,
      `
      SELECT (SELECT sum(loyalty_points) FROM shop.customers) AS points, (SELECT bool_and(convalidated)
      FROM pg_constraint WHERE connamespace = 'shop'::regnamespace) AS valid`,
    );
    expect(Number(points)).toBeGreaterThan(0);
    expect(valid).toBe(true);
    // The backfill changed what it added and nothing else.
    await client.query('ALTER TABLE shop.customers DROP COLUMN loyalty_points CASCADE, DROP COLUMN phone');
    expect(await digests(client)).toEqual({ ...(touched as object), 'shop.product_reviews': '0 ' });
  });
  await withSample(async (client, server) => {
    await generateSample(client, { scale: 0.05 });
    for (const file of (await readdir(sampleMigrations)).sort())
      await client.query(await readFile(path.join(sampleMigrations, file), 'utf8'));
    await trade(server);
    await client.query("INSERT INTO shop.customers (name, email, country) VALUES ('New', 'new@example.com', 'DE')");
  });
});

test('the workload trades in the sample without an error, and its rules still hold', async () => {
  await withSample(async (client, server) => {
    await generateSample(client, { scale: 0.05 });
    await prepareWorkload(client, { roles: { writer: sampleRoles.app, reader: sampleRoles.reader }, writers: 8 });
    const folder = await temporaryFolder();
    const { orders } = await one<{ orders: number }>(client, 'SELECT count(*)::int AS orders FROM shop.orders');
    const workload = await startWorkload({
      writer: connectionTo(server, 'test', sampleRoles.app),
      reader: connectionTo(server, 'test', sampleRoles.reader),
      logFile: path.join(folder, 'workload.log'),
      business: true,
    });
    await workload.until(({ acknowledged }) => acknowledged > 300, 30_000);
    const verdict = await judge(client, await workload.stop());
    expect(verdict).toMatchObject(good);
    expect(await checkSample(client)).toEqual([]);
    const after = await one<{ orders: number }>(client, 'SELECT count(*)::int AS orders FROM shop.orders');
    expect(after.orders).toBeGreaterThan(orders + 50);
    await rm(folder, { recursive: true });
  });
});
