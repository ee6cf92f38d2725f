import { expect, test } from 'vitest';
import type { Client } from '../../../src/postgres/client.ts';
import { describePart, readPart, type PartInWords } from '../../../src/postgres/part/read.ts';
import { withDatabase } from '../../support/postgres.ts';

async function partOf(client: Client, ...tables: readonly string[]): Promise<PartInWords> {
  return describePart(client, await readPart(client, tables));
}

const orders = `
  CREATE SCHEMA sales;
  CREATE TYPE sales.state AS ENUM ('open', 'paid');
  CREATE DOMAIN sales.amount AS numeric(12, 2) CHECK (VALUE >= 0);
  CREATE SEQUENCE sales.number;
  CREATE FUNCTION sales.next_number() RETURNS bigint LANGUAGE sql AS $$SELECT nextval('sales.number')$$;
  CREATE FUNCTION sales.touch() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.at := now(); RETURN NEW; END$$;
  CREATE TABLE sales.orders (id bigint PRIMARY KEY DEFAULT nextval('sales.number'), state sales.state, at timestamptz, other int GENERATED ALWAYS AS IDENTITY);
  CREATE TABLE sales.lines (id bigserial, order_id bigint REFERENCES sales.orders, amount sales.amount, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
  CREATE TABLE sales.lines_2026 PARTITION OF sales.lines FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
  CREATE TRIGGER touch BEFORE UPDATE ON sales.orders FOR EACH ROW EXECUTE FUNCTION sales.touch();
  CREATE VIEW sales.open AS SELECT * FROM sales.orders WHERE state = 'open';
  CREATE MATERIALIZED VIEW sales.count AS SELECT count(*) FROM sales.open;
  CREATE FUNCTION sales.of(bigint) RETURNS SETOF sales.orders LANGUAGE sql AS 'SELECT * FROM sales.orders WHERE id = $1';
  CREATE TABLE public.customers (id int PRIMARY KEY, kind sales.state);`;

test('tables go with all that hangs on them, and with what they need', async () => {
  await withDatabase(async (client) => {
    await client.query(orders);
    expect(await partOf(client, 'sales.orders', 'sales.lines')).toEqual({
      goes: [
        'function sales.of(bigint)',
        'function sales.touch()',
        'materialized view sales.count',
        'schema sales',
        'sequence sales.lines_id_seq',
        'sequence sales.number',
        'sequence sales.orders_other_seq',
        'table sales.lines',
        'table sales.lines_2026',
        'table sales.orders',
        'type sales.amount',
        'type sales.count',
        'type sales.count[]',
        'type sales.lines',
        'type sales.lines[]',
        'type sales.lines_2026',
        'type sales.lines_2026[]',
        'type sales.open',
        'type sales.open[]',
        'type sales.orders',
        'type sales.orders[]',
        'type sales.state',
        'type sales.state[]',
        'type sales.amount[]',
        'view sales.open',
      ].toSorted(),
      torn: [],
      stays: [],
      texts: [],
      fed: [],
    });
  });
});

test('what a session has for itself is of no side', async () => {
  await withDatabase(async (client) => {
    await client.query(orders);
    const { cut } = await readPart(client, ['sales.orders', 'sales.lines']);
    await client.query(`
      CREATE TEMP VIEW mine AS SELECT * FROM sales.orders;
      CREATE TEMP TABLE copied (LIKE sales.orders INCLUDING ALL);
      CREATE FUNCTION pg_temp.first() RETURNS sales.orders RETURN (SELECT o FROM sales.orders o LIMIT 1);`);
    expect(await readPart(client, ['sales.orders', 'sales.lines'])).toEqual({ cut, missing: [] });
  });
});

/** What crosses the border, and what is said of it. */
const crossing: Readonly<Record<string, { readonly sql: string; readonly torn: readonly string[] }>> = {
  'a foreign key to a table that stays': {
    sql: 'ALTER TABLE sales.orders ADD customer int REFERENCES public.customers',
    torn: ['constraint orders_customer_fkey on table sales.orders needs table customers'],
  },
  'a foreign key of a table that stays': {
    sql: 'ALTER TABLE public.customers ADD last bigint REFERENCES sales.orders',
    torn: ['constraint customers_last_fkey on table customers needs table sales.orders'],
  },
  'a child by inheritance that is left out': {
    sql: 'CREATE TABLE sales.kid () INHERITS (sales.orders)',
    torn: [
      'default value for column id of table sales.kid needs sequence sales.number',
      'table sales.kid needs table sales.orders',
    ],
  },
  'a sequence that fills both sides': {
    sql: "ALTER TABLE public.customers ALTER id SET DEFAULT nextval('sales.number')",
    torn: ['default value for column id of table customers needs sequence sales.number'],
  },
  'a rule of a table that stays': {
    sql: 'CREATE RULE log AS ON DELETE TO public.customers DO ALSO DELETE FROM sales.orders',
    torn: ['rule log on table customers needs table sales.orders'],
  },
  'a policy that reads a table that stays': {
    sql: 'CREATE POLICY mine ON sales.orders USING (EXISTS (SELECT FROM public.customers))',
    torn: ['policy mine on table sales.orders needs table customers'],
  },
};

test.each(Object.entries(crossing))('%s is torn', async (_, { sql, torn }) => {
  await withDatabase(async (client) => {
    await client.query(orders);
    await client.query(sql);
    expect((await partOf(client, 'sales.orders', 'sales.lines')).torn.toSorted()).toEqual(torn);
  });
});

test('one of two tables, a partition without its root, and a table that is none are refused', async () => {
  await withDatabase(async (client) => {
    await client.query(orders);
    expect((await partOf(client, 'sales.lines')).torn).toEqual([
      'constraint lines_order_id_fkey on table sales.lines needs table sales.orders',
      'constraint lines_order_id_fkey on table sales.lines_2026 needs table sales.orders',
    ]);
    expect((await partOf(client, 'sales.orders', 'sales.lines_2026')).torn).toContain(
      'table sales.lines_2026 needs table sales.lines',
    );
    expect((await partOf(client, 'sales.none', 'sales.open')).torn).toEqual([
      'sales.none: no table that can be moved',
      'sales.open: no table that can be moved',
    ]);
  });
});

test('a view over both sides stays, and functions that name the other side in their text are named', async () => {
  await withDatabase(async (client) => {
    await client.query(orders);
    await client.query(`
      CREATE VIEW public.both_sides AS SELECT o.id FROM sales.orders o JOIN public.customers c ON true;
      CREATE FUNCTION public.bill() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO sales.orders DEFAULT VALUES; RETURN NULL; END$$;
      CREATE TRIGGER bill AFTER INSERT ON public.customers EXECUTE FUNCTION public.bill();
      CREATE OR REPLACE FUNCTION sales.touch() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM FROM public.customers; RETURN NEW; END$$`);
    const found = await partOf(client, 'sales.orders', 'sales.lines');
    expect(found.torn).toEqual([]);
    expect(found.stays).toEqual(['view both_sides']);
    expect(found.texts).toEqual([
      'function bill() stays, and names sales.orders, which goes',
      'function sales.touch() goes along, and names customers, which stays',
    ]);
  });
});
