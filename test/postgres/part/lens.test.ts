import { expect, test } from 'vitest';
import { label, readTables } from '../../../src/postgres/catalogue.ts';
import { ensureControlSchema } from '../../../src/postgres/control.ts';
import { readLens, type Lens } from '../../../src/postgres/part/lens.ts';
import { readPart } from '../../../src/postgres/part/read.ts';
import { readObjects } from '../../../src/postgres/seal/objects.ts';
import { withOwnSession } from '../../../src/postgres/session.ts';
import { connectionTo, withDatabase } from '../../support/postgres.ts';

const schema = `
  CREATE SCHEMA sales; CREATE TYPE sales.state AS ENUM ('open');
  CREATE TABLE sales.orders (id bigserial PRIMARY KEY, state sales.state);
  CREATE TABLE public.others (id serial PRIMARY KEY); CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1';`;

test('through a lens there is the part and what is ours alone, and what is done to the rest changes nothing of it', async () => {
  await withDatabase(async (client, server) => {
    await client.query(schema);
    const settings = connectionTo(server, 'test');
    const lens: Lens = await withOwnSession(settings, 'test', async (own) => {
      await ensureControlSchema(own);
      return readLens(own, (await readPart(own, ['sales.orders'])).cut.carried);
    });
    const seen = () =>
      withOwnSession({ ...settings, lens }, 'test', async (own) => ({
        tables: (await readTables(own)).map(label),
        objects: (await readObjects(own)).map(({ kind, identity, definition }) => `${kind} ${identity} ${definition}`),
        again: (await readPart(own, ['sales.orders'])).cut.carried.size,
        ours: (
          await own.query("SELECT FROM pg_class WHERE relname = 'fence' AND relnamespace = 'verdigris'::regnamespace")
        ).rowCount,
      }));
    const before = await seen();
    expect(before.tables).toEqual(['sales.orders']);
    expect(before.ours).toBe(1);
    expect(before.objects.filter((text) => text.includes('others') || text.includes('public.f'))).toEqual([]);
    expect(before.objects.some((text) => text.startsWith('table sales.orders'))).toBe(true);
    await client.query(`ALTER TABLE public.others ADD more int; COMMENT ON TABLE public.others IS 'x'; CREATE TABLE public.fresh ();
      DROP FUNCTION public.f;
      ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC; CREATE PUBLICATION theirs FOR TABLE public.others;
      CREATE SCHEMA more; CREATE TYPE more.kind AS ENUM ('a')`);
    expect(await seen()).toEqual(before);
    await client.query(
      `ALTER TABLE sales.orders ADD more int; COMMENT ON TABLE sales.orders IS 'x';
      CREATE INDEX fresh ON sales.orders (more); ALTER TYPE sales.state ADD VALUE 'paid'`,
    );
    const after = (await seen()).objects.filter((text) => !before.objects.includes(text));
    expect(after.map((text) => text.split(' ').slice(0, 2).join(' ')).toSorted()).toEqual([
      'column sales.orders.more',
      'comment table',
      'index sales.fresh',
      'type sales.state',
    ]);
  });
});
