import { expect, test } from 'vitest';
import { label, readTables } from '../../../src/postgres/catalogue.ts';
import { fenceTables, openTables } from '../../../src/postgres/part/fence.ts';
import { glanceAtPart } from '../../../src/postgres/part/glance.ts';
import { Memory, remember } from '../../../src/postgres/seal/remembered.ts';
import { movedCatalogues } from '../../../src/postgres/seal/glance.ts';
import { withPart } from '../../support/part.ts';

const orders = `
  CREATE TABLE public.orders (id int PRIMARY KEY, v text); CREATE TABLE public.lines (id int PRIMARY KEY, o int REFERENCES public.orders);
  CREATE TABLE public.others (id int PRIMARY KEY); CREATE VIEW public.both AS SELECT id FROM public.orders JOIN public.others USING (id);`;

const moving = ['public.orders', 'public.lines'];

test('a glance at a part is the same while others change the rest and while the fence closes and opens it, and differs where it is changed', async () => {
  await withPart(orders, moving, async (own, { carried }) => {
    const still = await glanceAtPart(own, carried);
    const moved = async (): Promise<string[]> => movedCatalogues(still, await glanceAtPart(own, carried));
    for (let round = 1; round <= 2; round += 1) {
      await fenceTables(own, round, moving, 10_000);
      expect(await moved()).toEqual([]);
      await openTables(own, round, moving, 10_000);
      expect(await moved()).toEqual([]);
    }
    for (const sql of [
      'ALTER TABLE public.others ADD more int',
      'CREATE TABLE public.more (id int REFERENCES public.others); DROP TABLE public.more',
      'INSERT INTO public.orders VALUES (1); ANALYZE public.orders',
      'VACUUM public.orders',
      'TRUNCATE public.orders, public.lines',
      'CREATE TEMPORARY VIEW passing AS SELECT * FROM public.orders',
    ]) {
      await own.query(sql);
      expect(await moved(), sql).toEqual([]);
    }
    for (const sql of [
      'CREATE TABLE public.fresh (id int REFERENCES public.orders)',
      'CREATE VIEW public.fresh AS SELECT * FROM public.orders',
      'ALTER TABLE public.orders ADD FOREIGN KEY (id) REFERENCES public.others NOT VALID',
      'COMMENT ON COLUMN public.orders.v IS $$x$$',
      // One of its owner's, that only bears the name of the fence's.
      `DROP TRIGGER verdigris_fence ON public.orders;
      CREATE FUNCTION public.own() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
      CREATE TRIGGER verdigris_fence BEFORE INSERT ON public.orders FOR EACH ROW EXECUTE FUNCTION public.own()`,
    ]) {
      await own.query(`BEGIN; ${sql}`);
      expect(await moved(), sql).not.toEqual([]);
      await own.query('ROLLBACK');
    }
  });
});

test('what was read of a large part is remembered, and read again once something moves', async () => {
  await withPart(orders, moving, async (own) => {
    remember(own, new Memory(true));
    const names = async (): Promise<string[]> => (await readTables(own)).map(label);
    expect(await names()).toEqual(['public.lines', 'public.orders']);
    expect(await names()).toEqual(['public.lines', 'public.orders']);
    await own.query('ALTER TABLE public.orders RENAME TO renamed');
    expect(await names()).toEqual(['public.lines', 'public.renamed']);
  });
});
